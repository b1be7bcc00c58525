package dev.adit.config.server;

import dev.adit.config.ClientOptions;
import dev.adit.config.ConfigException;
import dev.adit.config.Values;
import dev.adit.config.Words;
import dev.adit.ssh.Limit;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Every keyword of sshd_config(5) in OpenSSH 9.2 to 10, and adit's own, with what becomes of it
 * here. The page docs/sshd-config-keywords.md is written from this table.
 */
public enum ServerKeyword {
  ACCEPT_ENV(
      "AcceptEnv",
      ServerValues::acceptEnv,
      List.of(),
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.WORDS,
      ""),
  ADDRESS_FAMILY(
      "AddressFamily",
      ServerValues.oneOf("any", "inet", "inet6"),
      "any",
      State.IMPLEMENTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      ""),
  ALLOW_AGENT_FORWARDING(
      "AllowAgentForwarding",
      ServerValues::flag,
      true,
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      ""),
  ALLOW_GROUPS(
      "AllowGroups",
      ServerValues::list,
      List.of(),
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.WORDS,
      ""),
  ALLOW_NON_STRICT_KEX(
      "AllowNonStrictKex",
      ServerValues::flag,
      false,
      State.IMPLEMENTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      "adit's own: serve ciphers that are open to CVE-2023-48795 to a client that can't prevent"
          + " it"),
  ALLOW_STREAM_LOCAL_FORWARDING(
      "AllowStreamLocalForwarding",
      ServerValues::forwarding,
      "yes",
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      ""),
  ALLOW_TCP_FORWARDING(
      "AllowTcpForwarding",
      ServerValues::forwarding,
      "yes",
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      ""),
  ALLOW_USERS(
      "AllowUsers",
      ServerValues::userPatterns,
      List.of(),
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.WORDS,
      ""),
  AUDIT_FORMAT(
      "AuditFormat",
      ServerValues.oneOf("text", "json"),
      "text",
      State.IMPLEMENTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      "adit's own: how AuditLog writes"),
  AUDIT_LOG(
      "AuditLog",
      ServerValues::path,
      "none",
      State.IMPLEMENTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      "adit's own: the file of the audit log, or none"),
  AUTHENTICATION_METHODS(
      "AuthenticationMethods",
      ServerValues::authenticationMethods,
      List.of("any"),
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      ""),
  AUTHORIZED_KEYS_COMMAND(
      "AuthorizedKeysCommand",
      ServerValues::command,
      "none",
      State.NOTED,
      Scope.MATCH,
      Gathering.FIRST,
      "keys come from files only"),
  AUTHORIZED_KEYS_COMMAND_USER(
      "AuthorizedKeysCommandUser",
      ServerValues::word,
      "none",
      State.NOTED,
      Scope.MATCH,
      Gathering.FIRST,
      ""),
  AUTHORIZED_KEYS_FILE(
      "AuthorizedKeysFile",
      ServerValues::files,
      List.of(".ssh/authorized_keys", ".ssh/authorized_keys2"),
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      ""),
  AUTHORIZED_PRINCIPALS_COMMAND(
      "AuthorizedPrincipalsCommand",
      ServerValues::command,
      "none",
      State.REFUSED,
      Scope.MATCH,
      Gathering.FIRST,
      "without it, certificates would be taken that it turns away"),
  AUTHORIZED_PRINCIPALS_COMMAND_USER(
      "AuthorizedPrincipalsCommandUser",
      ServerValues::word,
      "none",
      State.NOTED,
      Scope.MATCH,
      Gathering.FIRST,
      ""),
  AUTHORIZED_PRINCIPALS_FILE(
      "AuthorizedPrincipalsFile",
      ServerValues::file,
      "none",
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      ""),
  BANNER("Banner", ServerValues::path, "none", State.IMPLEMENTED, Scope.MATCH, Gathering.FIRST, ""),
  CA_SIGNATURE_ALGORITHMS(
      "CASignatureAlgorithms",
      ServerValues::algorithms,
      null,
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      ""),
  CHANNEL_TIMEOUT(
      "ChannelTimeout",
      ServerValues::channelTimeouts,
      List.of(),
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      ""),
  CHROOT_DIRECTORY(
      "ChrootDirectory",
      ServerValues::file,
      "none",
      State.REFUSED,
      Scope.MATCH,
      Gathering.FIRST,
      "users would see the whole file system"),
  CIPHERS(
      "Ciphers",
      ServerValues::algorithms,
      null,
      State.IMPLEMENTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      ""),
  CLIENT_ALIVE_COUNT_MAX(
      "ClientAliveCountMax",
      ServerValues::count,
      3,
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      ""),
  CLIENT_ALIVE_INTERVAL(
      "ClientAliveInterval",
      ServerValues::time,
      15,
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      "15 unless set, where sshd has 0: dead clients are noticed within a minute"),
  COMPRESSION(
      "Compression",
      ServerValues::compression,
      "yes",
      State.IMPLEMENTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      ""),
  DEBIAN_BANNER(
      "DebianBanner",
      ServerValues::flag,
      true,
      State.NOTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      "Debian's; the version never names a distribution"),
  DENY_GROUPS(
      "DenyGroups",
      ServerValues::list,
      List.of(),
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.WORDS,
      ""),
  DENY_OPEN(
      "DenyOpen",
      ServerValues::denyOpen,
      List.of("link-local", "metadata"),
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      "adit's own: addresses that no forward is opened to, unless PermitOpen names the target: CIDR"
          + " blocks, link-local, loopback, metadata (of clouds), multicast, private; or none"),
  DENY_USERS(
      "DenyUsers",
      ServerValues::userPatterns,
      List.of(),
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.WORDS,
      ""),
  DISABLE_FORWARDING(
      "DisableForwarding",
      ServerValues::flag,
      false,
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      ""),
  DRAIN_TIME(
      "DrainTime",
      ServerValues::time,
      30,
      State.IMPLEMENTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      "adit's own: how long tunnels may go on after SIGTERM"),
  EXPOSE_AUTH_INFO(
      "ExposeAuthInfo", ServerValues::flag, false, State.NOTED, Scope.MATCH, Gathering.FIRST, ""),
  FINGERPRINT_HASH(
      "FingerprintHash",
      ServerValues::fingerprintHash,
      "SHA256",
      State.NOTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      "fingerprints are SHA256"),
  FORCE_COMMAND(
      "ForceCommand",
      ServerValues::rest,
      "none",
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      ""),
  GATEWAY_PORTS(
      "GatewayPorts",
      ServerValues.yesNoOr("clientspecified"),
      "no",
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      ""),
  GSSAPI_AUTHENTICATION(
      "GSSAPIAuthentication",
      ServerValues::flag,
      false,
      State.NOTED,
      Scope.MATCH,
      Gathering.FIRST,
      "no Kerberos"),
  GSSAPI_CLEANUP_CREDENTIALS(
      "GSSAPICleanupCredentials",
      ServerValues::flag,
      true,
      State.NOTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      "no Kerberos"),
  GSSAPI_DELEGATE_CREDENTIALS(
      "GSSAPIDelegateCredentials",
      ServerValues::flag,
      true,
      State.NOTED,
      Scope.MATCH,
      Gathering.FIRST,
      "no Kerberos"),
  GSSAPI_KEX_ALGORITHMS(
      "GSSAPIKexAlgorithms",
      ServerValues::word,
      "gss-group14-sha256-,gss-group16-sha512-,gss-nistp256-sha256-,gss-curve25519-sha256-,gss-group14-sha1-,gss-gex-sha1-",
      State.NOTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      "no Kerberos; Debian's"),
  GSSAPI_KEY_EXCHANGE(
      "GSSAPIKeyExchange",
      ServerValues::flag,
      false,
      State.NOTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      "no Kerberos; Debian's"),
  GSSAPI_STORE_CREDENTIALS_ON_REKEY(
      "GSSAPIStoreCredentialsOnRekey",
      ServerValues::flag,
      false,
      State.NOTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      "no Kerberos; Debian's"),
  GSSAPI_STRICT_ACCEPTOR_CHECK(
      "GSSAPIStrictAcceptorCheck",
      ServerValues::flag,
      true,
      State.NOTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      "no Kerberos"),
  HOST_CERTIFICATE(
      "HostCertificate",
      ServerValues::path,
      null,
      State.IMPLEMENTED,
      Scope.GLOBAL,
      Gathering.EACH,
      ""),
  HOST_KEY(
      "HostKey", ServerValues::path, null, State.IMPLEMENTED, Scope.GLOBAL, Gathering.EACH, ""),
  HOST_KEY_AGENT(
      "HostKeyAgent",
      ServerValues::agent,
      "none",
      State.NOTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      "host keys come from files"),
  HOST_KEY_ALGORITHMS(
      "HostKeyAlgorithms",
      ServerValues::algorithms,
      null,
      State.IMPLEMENTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      ""),
  HOSTBASED_ACCEPTED_ALGORITHMS(
      "HostbasedAcceptedAlgorithms",
      ServerValues::algorithms,
      null,
      State.NOTED,
      Scope.MATCH,
      Gathering.FIRST,
      "no host-based authentication"),
  HOSTBASED_AUTHENTICATION(
      "HostbasedAuthentication",
      ServerValues::flag,
      false,
      State.NOTED,
      Scope.MATCH,
      Gathering.FIRST,
      "no host-based authentication"),
  HOSTBASED_USES_NAME_FROM_PACKET_ONLY(
      "HostbasedUsesNameFromPacketOnly",
      ServerValues::flag,
      false,
      State.NOTED,
      Scope.MATCH,
      Gathering.FIRST,
      "no host-based authentication"),
  IGNORE_RHOSTS(
      "IgnoreRhosts",
      ServerValues.yesNoOr("shosts-only"),
      "yes",
      State.NOTED,
      Scope.MATCH,
      Gathering.FIRST,
      "no host-based authentication"),
  IGNORE_USER_KNOWN_HOSTS(
      "IgnoreUserKnownHosts",
      ServerValues::flag,
      false,
      State.NOTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      "no host-based authentication"),
  INCLUDE(
      "Include",
      Values::anything,
      null,
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      "relative paths begin at /etc/ssh, as with sshd"),
  IPQOS(
      "IPQoS",
      Values::ipqos,
      new ClientOptions.IpQos(0x10, 0x08),
      State.NOTED,
      Scope.MATCH,
      Gathering.FIRST,
      ""),
  KBD_INTERACTIVE_AUTHENTICATION(
      "KbdInteractiveAuthentication",
      ServerValues::flag,
      true,
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      ""),
  KERBEROS_AUTHENTICATION(
      "KerberosAuthentication",
      ServerValues::flag,
      false,
      State.NOTED,
      Scope.MATCH,
      Gathering.FIRST,
      "no Kerberos"),
  KERBEROS_GET_AFS_TOKEN(
      "KerberosGetAFSToken",
      ServerValues::flag,
      false,
      State.NOTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      "no Kerberos"),
  KERBEROS_OR_LOCAL_PASSWD(
      "KerberosOrLocalPasswd",
      ServerValues::flag,
      true,
      State.NOTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      "no Kerberos"),
  KERBEROS_TICKET_CLEANUP(
      "KerberosTicketCleanup",
      ServerValues::flag,
      true,
      State.NOTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      "no Kerberos"),
  KEX_ALGORITHMS(
      "KexAlgorithms",
      ServerValues::algorithms,
      null,
      State.IMPLEMENTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      ""),
  LISTEN_ADDRESS(
      "ListenAddress",
      ServerValues::listenAddress,
      List.of(),
      State.IMPLEMENTED,
      Scope.GLOBAL,
      Gathering.EACH,
      ""),
  LOGIN_GRACE_TIME(
      "LoginGraceTime",
      ServerValues::time,
      30,
      State.IMPLEMENTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      "30 unless set, where sshd has 120"),
  LOG_LEVEL(
      "LogLevel",
      Values::logLevel,
      ClientOptions.LogLevel.INFO,
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      "in Match: for what is told of the connection; packets and channels, in DEBUG2, follow the"
          + " general one"),
  LOG_VERBOSE(
      "LogVerbose", ServerValues::list, List.of(), State.NOTED, Scope.MATCH, Gathering.FIRST, ""),
  MACS(
      "MACs", ServerValues::algorithms, null, State.IMPLEMENTED, Scope.GLOBAL, Gathering.FIRST, ""),
  MATCH(
      "Match",
      Values::anything,
      null,
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      "user, group, host, address, localaddress, localport, rdomain, all"),
  MAX_AUTH_TRIES(
      "MaxAuthTries",
      ServerValues::count,
      3,
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      "3 unless set, where sshd has 6"),
  @Limit(
      bounds = "Sessions of one client open at once",
      beyond = "the open is refused",
      provenBy = "ServerSessionsTest.moreThanMaxSessionsAreRefusedUntilOneEnds")
  MAX_SESSIONS(
      "MaxSessions", ServerValues::count, 10, State.IMPLEMENTED, Scope.MATCH, Gathering.FIRST, ""),
  @Limit(
      bounds =
          "Connections that are not logged in: from the first number on so many "
              + "in a hundred are turned away, from the last on all",
      beyond = "turned away before a byte is read",
      provenBy = {
        "StartupsTest.fullMeansNobodyMore",
        "StartupsTest.betweenBeginAndFullTheChanceGrows",
        "GatewayProgramTest.twoHundredIdleClientsAreTurnedAwayOrTimeOutAndAGoodOneGetsIn"
      })
  MAX_STARTUPS(
      "MaxStartups",
      ServerValues::maxStartups,
      new MaxStartups(10, 30, 100),
      State.IMPLEMENTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      ""),
  MODULI_FILE(
      "ModuliFile",
      ServerValues::path,
      "/etc/ssh/moduli",
      State.NOTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      "the groups are those of RFC 3526"),
  PASSWORD_AUTHENTICATION(
      "PasswordAuthentication",
      ServerValues::flag,
      true,
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      "against PasswordFile; without one there are no passwords"),
  PASSWORD_FILE(
      "PasswordFile",
      ServerValues::path,
      "none",
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      "adit's own: bcrypt hashes of passwords, name:hash a line"),
  PERMIT_EMPTY_PASSWORDS(
      "PermitEmptyPasswords",
      ServerValues::flag,
      false,
      State.NOTED,
      Scope.MATCH,
      Gathering.FIRST,
      "nobody gets in with an empty password"),
  PERMIT_LISTEN(
      "PermitListen",
      ServerValues::permitListen,
      List.of("any"),
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      ""),
  PERMIT_OPEN(
      "PermitOpen",
      ServerValues::permitOpen,
      List.of("any"),
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      ""),
  PERMIT_ROOT_LOGIN(
      "PermitRootLogin",
      ServerValues::permitRootLogin,
      "without-password",
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      ""),
  PERMIT_TTY(
      "PermitTTY", ServerValues::flag, true, State.IMPLEMENTED, Scope.MATCH, Gathering.FIRST, ""),
  PERMIT_TUNNEL(
      "PermitTunnel",
      ServerValues::tunnel,
      "no",
      State.NOTED,
      Scope.MATCH,
      Gathering.FIRST,
      "no tun devices"),
  PERMIT_USER_ENVIRONMENT(
      "PermitUserEnvironment",
      ServerValues::userEnvironment,
      "no",
      State.IMPLEMENTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      ""),
  PERMIT_USER_RC(
      "PermitUserRC",
      ServerValues::flag,
      true,
      State.NOTED,
      Scope.MATCH,
      Gathering.FIRST,
      "~/.ssh/rc is not run"),
  @Limit(
      bounds = "The same from one source (PerSourceNetBlockSize)",
      beyond = "turned away before a byte is read",
      provenBy = "StartupsTest.oneSourceLeavesRoomForOthers")
  PER_SOURCE_MAX_STARTUPS(
      "PerSourceMaxStartups",
      ServerValues::countOrNone,
      "none",
      State.IMPLEMENTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      ""),
  PER_SOURCE_NET_BLOCK_SIZE(
      "PerSourceNetBlockSize",
      ServerValues::netBlockSize,
      new NetBlockSize(32, 128),
      State.IMPLEMENTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      ""),
  PER_SOURCE_PENALTIES(
      "PerSourcePenalties",
      ServerValues::penalties,
      List.of(),
      State.IMPLEMENTED,
      Scope.GLOBAL,
      Gathering.WORDS,
      ""),
  PER_SOURCE_PENALTY_EXEMPT_LIST(
      "PerSourcePenaltyExemptList",
      ServerValues::word,
      "none",
      State.IMPLEMENTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      ""),
  PID_FILE(
      "PidFile",
      ServerValues::path,
      "none",
      State.IMPLEMENTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      "none unless set, where sshd has /run/sshd.pid"),
  PORT(
      "Port",
      ServerValues::port,
      null,
      State.IMPLEMENTED,
      Scope.GLOBAL,
      Gathering.EACH,
      "22; without any file and not as root, 2222"),
  PRINT_LAST_LOG(
      "PrintLastLog",
      ServerValues::flag,
      true,
      State.NOTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      "nothing is printed"),
  PRINT_MOTD(
      "PrintMotd",
      ServerValues::flag,
      true,
      State.NOTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      "nothing is printed"),
  PUBKEY_ACCEPTED_ALGORITHMS(
      "PubkeyAcceptedAlgorithms",
      ServerValues::algorithms,
      null,
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      ""),
  PUBKEY_AUTHENTICATION(
      "PubkeyAuthentication",
      ServerValues::flag,
      true,
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      ""),
  PUBKEY_AUTH_OPTIONS(
      "PubkeyAuthOptions",
      ServerValues::pubkeyAuthOptions,
      List.of(),
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      ""),
  RDOMAIN(
      "RDomain",
      ServerValues::word,
      "none",
      State.REFUSED,
      Scope.MATCH,
      Gathering.FIRST,
      "there are no routing domains here; sshd on Linux refuses it too"),
  REFUSE_CONNECTION(
      "RefuseConnection",
      ServerValues::flag,
      false,
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      ""),
  REKEY_LIMIT(
      "RekeyLimit",
      ServerValues::rekeyLimit,
      new ClientOptions.RekeyLimit(0, 0),
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      ""),
  REQUIRED_RSA_SIZE(
      "RequiredRSASize",
      ServerValues::count,
      2048,
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      "2048 unless set, where sshd has 1024"),
  REVOKED_KEYS(
      "RevokedKeys",
      ServerValues::path,
      "none",
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      ""),
  SECURITY_KEY_PROVIDER(
      "SecurityKeyProvider",
      ServerValues::path,
      "internal",
      State.NOTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      ""),
  SET_ENV(
      "SetEnv",
      ServerValues::setEnv,
      List.of(),
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      ""),
  SSHD_AUTH_PATH(
      "SshdAuthPath",
      ServerValues::path,
      "none",
      State.NOTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      "adit is one process"),
  SSHD_SESSION_PATH(
      "SshdSessionPath",
      ServerValues::path,
      "none",
      State.NOTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      "adit is one process"),
  STREAM_LOCAL_BIND_MASK(
      "StreamLocalBindMask",
      ServerValues::octal,
      0177,
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      ""),
  STREAM_LOCAL_BIND_UNLINK(
      "StreamLocalBindUnlink",
      ServerValues::flag,
      false,
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      ""),
  STRICT_MODES(
      "StrictModes",
      ServerValues::flag,
      true,
      State.IMPLEMENTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      ""),
  SUBSYSTEM(
      "Subsystem",
      ServerValues::subsystem,
      List.of(),
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.EACH,
      ""),
  SYSLOG_FACILITY(
      "SyslogFacility",
      Values::facility,
      "AUTH",
      State.IMPLEMENTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      ""),
  TCP_KEEP_ALIVE(
      "TCPKeepAlive",
      ServerValues::flag,
      true,
      State.IMPLEMENTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      ""),
  TRUSTED_USER_CA_KEYS(
      "TrustedUserCAKeys",
      ServerValues::path,
      "none",
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      ""),
  TUNNEL_USERS(
      "TunnelUsers",
      ServerValues::list,
      List.of(),
      State.IMPLEMENTED,
      Scope.GLOBAL,
      Gathering.WORDS,
      "adit's own: users that exist only here, for TCP tunnels"),
  UNUSED_CONNECTION_TIMEOUT(
      "UnusedConnectionTimeout",
      ServerValues::timeOrNone,
      0,
      State.IMPLEMENTED,
      Scope.MATCH,
      Gathering.FIRST,
      ""),
  USE_DNS(
      "UseDNS",
      ServerValues::flag,
      false,
      State.REFUSED,
      Scope.GLOBAL,
      Gathering.FIRST,
      "names of clients are not looked up, and rules about them would not hold"),
  USE_PAM(
      "UsePAM",
      ServerValues::flag,
      false,
      State.REFUSED,
      Scope.GLOBAL,
      Gathering.FIRST,
      "PAM's checks of accounts would not be made"),
  VERSION_ADDENDUM(
      "VersionAddendum",
      ServerValues::rest,
      "none",
      State.NOTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      "not there yet"),
  X11_DISPLAY_OFFSET(
      "X11DisplayOffset",
      ServerValues::count,
      10,
      State.NOTED,
      Scope.MATCH,
      Gathering.FIRST,
      "X11 is not forwarded"),
  X11_FORWARDING(
      "X11Forwarding",
      ServerValues::flag,
      false,
      State.NOTED,
      Scope.MATCH,
      Gathering.FIRST,
      "X11 is not forwarded"),
  X11_USE_LOCALHOST(
      "X11UseLocalhost",
      ServerValues::flag,
      true,
      State.NOTED,
      Scope.MATCH,
      Gathering.FIRST,
      "X11 is not forwarded"),
  XAUTH_LOCATION(
      "XAuthLocation",
      ServerValues::path,
      "/usr/bin/xauth",
      State.NOTED,
      Scope.GLOBAL,
      Gathering.FIRST,
      "X11 is not forwarded"),
  AUTHORIZED_KEYS_FILE2(
      "AuthorizedKeysFile2",
      Values::anything,
      null,
      State.IGNORED,
      Scope.MATCH,
      Gathering.FIRST,
      "OpenSSH skips it too"),
  CHECK_MAIL(
      "CheckMail",
      Values::anything,
      null,
      State.IGNORED,
      Scope.MATCH,
      Gathering.FIRST,
      "OpenSSH skips it too"),
  KEY_REGENERATION_INTERVAL(
      "KeyRegenerationInterval",
      Values::anything,
      null,
      State.IGNORED,
      Scope.MATCH,
      Gathering.FIRST,
      "OpenSSH skips it too"),
  PAM_AUTHENTICATION_VIA_KBD_INT(
      "PAMAuthenticationViaKbdInt",
      Values::anything,
      null,
      State.IGNORED,
      Scope.MATCH,
      Gathering.FIRST,
      "OpenSSH skips it too"),
  PROTOCOL(
      "Protocol",
      Values::anything,
      null,
      State.IGNORED,
      Scope.GLOBAL,
      Gathering.FIRST,
      "OpenSSH skips it too"),
  REVERSE_MAPPING_CHECK(
      "ReverseMappingCheck",
      Values::anything,
      null,
      State.IGNORED,
      Scope.MATCH,
      Gathering.FIRST,
      "OpenSSH skips it too"),
  RHOSTS_AUTHENTICATION(
      "RhostsAuthentication",
      Values::anything,
      null,
      State.IGNORED,
      Scope.MATCH,
      Gathering.FIRST,
      "OpenSSH skips it too"),
  RHOSTS_RSA_AUTHENTICATION(
      "RhostsRSAAuthentication",
      Values::anything,
      null,
      State.IGNORED,
      Scope.MATCH,
      Gathering.FIRST,
      "OpenSSH skips it too"),
  RSA_AUTHENTICATION(
      "RSAAuthentication",
      Values::anything,
      null,
      State.IGNORED,
      Scope.MATCH,
      Gathering.FIRST,
      "OpenSSH skips it too"),
  SERVER_KEY_BITS(
      "ServerKeyBits",
      Values::anything,
      null,
      State.IGNORED,
      Scope.MATCH,
      Gathering.FIRST,
      "OpenSSH skips it too"),
  USE_LOGIN(
      "UseLogin",
      Values::anything,
      null,
      State.IGNORED,
      Scope.MATCH,
      Gathering.FIRST,
      "OpenSSH skips it too"),
  USE_PRIVILEGE_SEPARATION(
      "UsePrivilegeSeparation",
      Values::anything,
      null,
      State.IGNORED,
      Scope.MATCH,
      Gathering.FIRST,
      "OpenSSH skips it too"),
  VERIFY_REVERSE_MAPPING(
      "VerifyReverseMapping",
      Values::anything,
      null,
      State.IGNORED,
      Scope.MATCH,
      Gathering.FIRST,
      "OpenSSH skips it too");

  /** What becomes of a keyword. */
  public enum State {
    /** It does what sshd_config(5) says. */
    IMPLEMENTED,
    /**
     * It does nothing, which is told in one line where it asks for something; nothing is unsafe.
     */
    NOTED,
    /**
     * It does nothing, and who wrote it relies on it: a value that asks for something is refused.
     */
    REFUSED,
    /** Nothing is done, as in OpenSSH, where it is history. */
    IGNORED
  }

  /** Where it may stand. */
  public enum Scope {
    /** Outside of Match blocks. */
    GLOBAL,
    /** In Match blocks too. */
    MATCH
  }

  /** What happens when a keyword is met again. */
  enum Gathering {
    /** The first value wins. */
    FIRST,
    /** Each line adds one value. */
    EACH,
    /** Each word of each line adds one value. */
    WORDS
  }

  private static final Map<String, ServerKeyword> BY_NAME = new HashMap<>();

  /** Other spellings of OpenSSH's. */
  private static final Map<String, ServerKeyword> ALIASES =
      Map.ofEntries(
          Map.entry("challengeresponseauthentication", KBD_INTERACTIVE_AUTHENTICATION),
          Map.entry("skeyauthentication", KBD_INTERACTIVE_AUTHENTICATION),
          Map.entry("dsaauthentication", PUBKEY_AUTHENTICATION),
          Map.entry("hostdsakey", HOST_KEY),
          Map.entry("hostbasedacceptedkeytypes", HOSTBASED_ACCEPTED_ALGORITHMS),
          Map.entry("keepalive", TCP_KEEP_ALIVE),
          Map.entry("pubkeyacceptedkeytypes", PUBKEY_ACCEPTED_ALGORITHMS));

  static {
    for (var keyword : values()) {
      BY_NAME.put(keyword.text.toLowerCase(Locale.ROOT), keyword);
    }
    BY_NAME.putAll(ALIASES);
  }

  private final String text;
  private final Values.Reader reader;
  private final @Nullable Object otherwise;
  private final State state;
  private final Scope scope;
  private final Gathering gathering;
  private final String note;

  ServerKeyword(
      String text,
      Values.Reader reader,
      @Nullable Object otherwise,
      State state,
      Scope scope,
      Gathering gathering,
      String note) {
    this.text = text;
    this.reader = reader;
    this.otherwise = otherwise;
    this.state = state;
    this.scope = scope;
    this.gathering = gathering;
    this.note = note;
  }

  /** The keyword of that name in any case, or null. */
  public static @Nullable ServerKeyword of(String name) {
    return BY_NAME.get(name.toLowerCase(Locale.ROOT));
  }

  /** As sshd_config(5) writes it. */
  public String text() {
    return text;
  }

  public State state() {
    return state;
  }

  public Scope scope() {
    return scope;
  }

  /** What a reader of the generated page should know; may be empty. */
  public String note() {
    return note;
  }

  Object read(Words words) throws ConfigException {
    return reader.read(words);
  }

  Gathering gathering() {
    return gathering;
  }

  /** What holds when nothing is said, or null where that depends on other things. */
  public @Nullable Object otherwise() {
    return otherwise;
  }

  /** Whether a value of a keyword that does nothing asks for something that will be missing. */
  boolean asksForMore(Object value) {
    return !(value.equals(false)
        || value.equals("no")
        || value.equals("none")
        || Objects.equals(value, otherwise));
  }
}

package dev.adit.config;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Every keyword of ssh_config(5) in OpenSSH 9.2 to 10, with what becomes of it here. The page
 * docs/config-keywords.md is written from this table.
 */
public enum Keyword {
  ADD_KEYS_TO_AGENT(
      "AddKeysToAgent", Values::addKeysToAgent, State.IMPLEMENTED, Gathering.FIRST, ""),
  ADDRESS_FAMILY(
      "AddressFamily",
      Values.oneOf("any", "inet", "inet6"),
      State.IMPLEMENTED,
      Gathering.FIRST,
      ""),
  ALLOW_NON_STRICT_KEX(
      "AllowNonStrictKex",
      Values::flag,
      State.IMPLEMENTED,
      Gathering.FIRST,
      "adit's own: use ciphers that are open to CVE-2023-48795 with a server that can't prevent it"),
  BATCH_MODE("BatchMode", Values::flag, State.IMPLEMENTED, Gathering.FIRST, ""),
  BIND_ADDRESS("BindAddress", Values::word, State.IMPLEMENTED, Gathering.FIRST, ""),
  BIND_INTERFACE("BindInterface", Values::word, State.ACCEPTED, Gathering.FIRST, ""),
  CANONICAL_DOMAINS(
      "CanonicalDomains", Values::canonicalDomains, State.IMPLEMENTED, Gathering.FIRST, ""),
  CANONICALIZE_FALLBACK_LOCAL(
      "CanonicalizeFallbackLocal", Values::flag, State.IMPLEMENTED, Gathering.FIRST, ""),
  CANONICALIZE_HOSTNAME(
      "CanonicalizeHostname", Values.yesNoOr("always"), State.IMPLEMENTED, Gathering.FIRST, ""),
  CANONICALIZE_MAX_DOTS(
      "CanonicalizeMaxDots", Values::number, State.IMPLEMENTED, Gathering.FIRST, ""),
  CANONICALIZE_PERMITTED_CNAMES(
      "CanonicalizePermittedCNAMEs",
      Values::permittedCnames,
      State.IMPLEMENTED,
      Gathering.FIRST,
      ""),
  CA_SIGNATURE_ALGORITHMS(
      "CASignatureAlgorithms", Values::algorithms, State.IMPLEMENTED, Gathering.FIRST, ""),
  CERTIFICATE_FILE("CertificateFile", Values::word, State.IMPLEMENTED, Gathering.EACH, ""),
  CHANNEL_TIMEOUT("ChannelTimeout", Values::list, State.ACCEPTED, Gathering.FIRST, ""),
  CHECK_HOST_IP("CheckHostIP", Values::flag, State.IMPLEMENTED, Gathering.FIRST, ""),
  CIPHERS("Ciphers", Values::algorithms, State.IMPLEMENTED, Gathering.FIRST, ""),
  CLEAR_ALL_FORWARDINGS(
      "ClearAllForwardings", Values::flag, State.IMPLEMENTED, Gathering.FIRST, ""),
  COMPRESSION("Compression", Values::flag, State.IMPLEMENTED, Gathering.FIRST, ""),
  CONNECTION_ATTEMPTS(
      "ConnectionAttempts", Values::attempts, State.IMPLEMENTED, Gathering.FIRST, ""),
  CONNECT_TIMEOUT("ConnectTimeout", Values::time, State.IMPLEMENTED, Gathering.FIRST, ""),
  CONTROL_MASTER(
      "ControlMaster",
      Values.yesNoOr("auto", "ask", "autoask"),
      State.ACCEPTED,
      Gathering.FIRST,
      "a plain connection is made"),
  CONTROL_PATH(
      "ControlPath", Values::word, State.ACCEPTED, Gathering.FIRST, "a plain connection is made"),
  CONTROL_PERSIST(
      "ControlPersist",
      Values::controlPersist,
      State.ACCEPTED,
      Gathering.FIRST,
      "a plain connection is made"),
  DYNAMIC_FORWARD("DynamicForward", Values::dynamicForward, State.IMPLEMENTED, Gathering.EACH, ""),
  ENABLE_ESCAPE_COMMANDLINE(
      "EnableEscapeCommandline",
      Values::flag,
      State.ACCEPTED,
      Gathering.FIRST,
      "there is no ~C yet"),
  ENABLE_SSH_KEYSIGN("EnableSSHKeysign", Values::flag, State.ACCEPTED, Gathering.FIRST, ""),
  ESCAPE_CHAR("EscapeChar", Values::escapeChar, State.IMPLEMENTED, Gathering.FIRST, ""),
  EXIT_ON_FORWARD_FAILURE(
      "ExitOnForwardFailure", Values::flag, State.IMPLEMENTED, Gathering.FIRST, ""),
  FINGERPRINT_HASH(
      "FingerprintHash", Values::fingerprintHash, State.IMPLEMENTED, Gathering.FIRST, ""),
  FORK_AFTER_AUTHENTICATION(
      "ForkAfterAuthentication", Values::flag, State.IMPLEMENTED, Gathering.FIRST, ""),
  FORWARD_AGENT("ForwardAgent", Values::forwardAgent, State.IMPLEMENTED, Gathering.FIRST, ""),
  FORWARD_X11("ForwardX11", Values::flag, State.ACCEPTED, Gathering.FIRST, ""),
  FORWARD_X11_TIMEOUT("ForwardX11Timeout", Values::time, State.ACCEPTED, Gathering.FIRST, ""),
  FORWARD_X11_TRUSTED("ForwardX11Trusted", Values::flag, State.ACCEPTED, Gathering.FIRST, ""),
  GATEWAY_PORTS("GatewayPorts", Values::flag, State.IMPLEMENTED, Gathering.FIRST, ""),
  GLOBAL_KNOWN_HOSTS_FILE(
      "GlobalKnownHostsFile", Values::listOrNone, State.IMPLEMENTED, Gathering.FIRST, ""),
  GSSAPI_AUTHENTICATION(
      "GSSAPIAuthentication", Values::flag, State.ACCEPTED, Gathering.FIRST, "no Kerberos"),
  GSSAPI_CLIENT_IDENTITY(
      "GSSAPIClientIdentity",
      Values::word,
      State.ACCEPTED,
      Gathering.FIRST,
      "no Kerberos; Debian's"),
  GSSAPI_DELEGATE_CREDENTIALS(
      "GSSAPIDelegateCredentials", Values::flag, State.ACCEPTED, Gathering.FIRST, "no Kerberos"),
  GSSAPI_KEX_ALGORITHMS(
      "GSSAPIKexAlgorithms",
      Values::word,
      State.ACCEPTED,
      Gathering.FIRST,
      "no Kerberos; Debian's"),
  GSSAPI_KEY_EXCHANGE(
      "GSSAPIKeyExchange", Values::flag, State.ACCEPTED, Gathering.FIRST, "no Kerberos; Debian's"),
  GSSAPI_RENEWAL_FORCES_REKEY(
      "GSSAPIRenewalForcesRekey",
      Values::flag,
      State.ACCEPTED,
      Gathering.FIRST,
      "no Kerberos; Debian's"),
  GSSAPI_SERVER_IDENTITY(
      "GSSAPIServerIdentity",
      Values::word,
      State.ACCEPTED,
      Gathering.FIRST,
      "no Kerberos; Debian's"),
  GSSAPI_TRUST_DNS(
      "GSSAPITrustDns", Values::flag, State.ACCEPTED, Gathering.FIRST, "no Kerberos; Debian's"),
  HASH_KNOWN_HOSTS("HashKnownHosts", Values::flag, State.IMPLEMENTED, Gathering.FIRST, ""),
  HOST("Host", Values::anything, State.IMPLEMENTED, Gathering.FIRST, ""),
  HOSTBASED_ACCEPTED_ALGORITHMS(
      "HostbasedAcceptedAlgorithms", Values::algorithms, State.ACCEPTED, Gathering.FIRST, ""),
  HOSTBASED_AUTHENTICATION(
      "HostbasedAuthentication", Values::flag, State.ACCEPTED, Gathering.FIRST, ""),
  HOST_KEY_ALGORITHMS(
      "HostKeyAlgorithms", Values::algorithms, State.IMPLEMENTED, Gathering.FIRST, ""),
  HOST_KEY_ALIAS("HostKeyAlias", Values::word, State.IMPLEMENTED, Gathering.FIRST, ""),
  HOSTNAME("Hostname", Values::word, State.IMPLEMENTED, Gathering.FIRST, ""),
  IDENTITIES_ONLY("IdentitiesOnly", Values::flag, State.IMPLEMENTED, Gathering.FIRST, ""),
  IDENTITY_AGENT("IdentityAgent", Values::word, State.IMPLEMENTED, Gathering.FIRST, ""),
  IDENTITY_FILE("IdentityFile", Values::word, State.IMPLEMENTED, Gathering.EACH, ""),
  IGNORE_UNKNOWN("IgnoreUnknown", Values::word, State.IMPLEMENTED, Gathering.FIRST, ""),
  INCLUDE("Include", Values::anything, State.IMPLEMENTED, Gathering.FIRST, ""),
  IPQOS("IPQoS", Values::ipqos, State.IMPLEMENTED, Gathering.FIRST, ""),
  KBD_INTERACTIVE_AUTHENTICATION(
      "KbdInteractiveAuthentication", Values::flag, State.IMPLEMENTED, Gathering.FIRST, ""),
  KBD_INTERACTIVE_DEVICES(
      "KbdInteractiveDevices", Values::word, State.ACCEPTED, Gathering.FIRST, "the server chooses"),
  KEX_ALGORITHMS("KexAlgorithms", Values::algorithms, State.IMPLEMENTED, Gathering.FIRST, ""),
  KNOWN_HOSTS_COMMAND("KnownHostsCommand", Values::command, State.ACCEPTED, Gathering.FIRST, ""),
  LOCAL_COMMAND("LocalCommand", Values::command, State.IMPLEMENTED, Gathering.FIRST, ""),
  LOCAL_FORWARD("LocalForward", Values::localForward, State.IMPLEMENTED, Gathering.EACH, ""),
  LOG_LEVEL("LogLevel", Values::logLevel, State.IMPLEMENTED, Gathering.FIRST, ""),
  LOG_VERBOSE("LogVerbose", Values::list, State.ACCEPTED, Gathering.FIRST, ""),
  MACS("MACs", Values::algorithms, State.IMPLEMENTED, Gathering.FIRST, ""),
  MATCH(
      "Match",
      Values::anything,
      State.IMPLEMENTED,
      Gathering.FIRST,
      "without localnetwork, command, sessiontype and version"),
  NO_HOST_AUTHENTICATION_FOR_LOCALHOST(
      "NoHostAuthenticationForLocalhost", Values::flag, State.IMPLEMENTED, Gathering.FIRST, ""),
  NUMBER_OF_PASSWORD_PROMPTS(
      "NumberOfPasswordPrompts", Values::number, State.IMPLEMENTED, Gathering.FIRST, ""),
  OBSCURE_KEYSTROKE_TIMING(
      "ObscureKeystrokeTiming", Values::anything, State.ACCEPTED, Gathering.FIRST, ""),
  PASSWORD_AUTHENTICATION(
      "PasswordAuthentication", Values::flag, State.IMPLEMENTED, Gathering.FIRST, ""),
  PERMIT_LOCAL_COMMAND("PermitLocalCommand", Values::flag, State.IMPLEMENTED, Gathering.FIRST, ""),
  PERMIT_REMOTE_OPEN(
      "PermitRemoteOpen", Values::permitRemoteOpen, State.IMPLEMENTED, Gathering.FIRST, ""),
  PKCS11_PROVIDER(
      "PKCS11Provider",
      Values::word,
      State.ACCEPTED,
      Gathering.FIRST,
      "keys on a token work through ssh-agent"),
  PORT("Port", Values::port, State.IMPLEMENTED, Gathering.FIRST, ""),
  PREFERRED_AUTHENTICATIONS(
      "PreferredAuthentications", Values::word, State.IMPLEMENTED, Gathering.FIRST, ""),
  PROXY_COMMAND("ProxyCommand", Values::command, State.IMPLEMENTED, Gathering.FIRST, ""),
  PROXY_JUMP("ProxyJump", Values::proxyJump, State.IMPLEMENTED, Gathering.FIRST, ""),
  PROXY_USE_FDPASS("ProxyUseFdpass", Values::flag, State.ACCEPTED, Gathering.FIRST, ""),
  PUBKEY_ACCEPTED_ALGORITHMS(
      "PubkeyAcceptedAlgorithms", Values::algorithms, State.IMPLEMENTED, Gathering.FIRST, ""),
  PUBKEY_AUTHENTICATION(
      "PubkeyAuthentication",
      Values.yesNoOr("unbound", "host-bound"),
      State.IMPLEMENTED,
      Gathering.FIRST,
      "unbound and host-bound are taken as yes"),
  REFUSE_CONNECTION("RefuseConnection", Values::word, State.IMPLEMENTED, Gathering.FIRST, ""),
  REKEY_LIMIT("RekeyLimit", Values::rekeyLimit, State.IMPLEMENTED, Gathering.FIRST, ""),
  REMOTE_COMMAND("RemoteCommand", Values::command, State.IMPLEMENTED, Gathering.FIRST, ""),
  REMOTE_FORWARD("RemoteForward", Values::remoteForward, State.IMPLEMENTED, Gathering.EACH, ""),
  REQUEST_TTY(
      "RequestTTY", Values.yesNoOr("force", "auto"), State.IMPLEMENTED, Gathering.FIRST, ""),
  REQUIRED_RSA_SIZE(
      "RequiredRSASize",
      Values::number,
      State.IMPLEMENTED,
      Gathering.FIRST,
      "default 2048, where ssh has 1024"),
  REVOKED_HOST_KEYS("RevokedHostKeys", Values::word, State.IMPLEMENTED, Gathering.FIRST, ""),
  SECURITY_KEY_PROVIDER(
      "SecurityKeyProvider",
      Values::word,
      State.ACCEPTED,
      Gathering.FIRST,
      "keys on a token work through ssh-agent"),
  SEND_ENV("SendEnv", Values::sendEnv, State.IMPLEMENTED, Gathering.WORDS, ""),
  SERVER_ALIVE_COUNT_MAX(
      "ServerAliveCountMax", Values::number, State.IMPLEMENTED, Gathering.FIRST, ""),
  SERVER_ALIVE_INTERVAL(
      "ServerAliveInterval",
      Values::time,
      State.IMPLEMENTED,
      Gathering.FIRST,
      "default 15, where ssh has 0: a dead connection is noticed within 45 seconds"),
  SESSION_TYPE(
      "SessionType",
      Values.oneOf("none", "subsystem", "default"),
      State.IMPLEMENTED,
      Gathering.FIRST,
      ""),
  SET_ENV("SetEnv", Values::setEnv, State.IMPLEMENTED, Gathering.FIRST, ""),
  STDIN_NULL("StdinNull", Values::flag, State.IMPLEMENTED, Gathering.FIRST, ""),
  STREAM_LOCAL_BIND_MASK(
      "StreamLocalBindMask", Values::octal, State.IMPLEMENTED, Gathering.FIRST, ""),
  STREAM_LOCAL_BIND_UNLINK(
      "StreamLocalBindUnlink", Values::flag, State.IMPLEMENTED, Gathering.FIRST, ""),
  STRICT_HOST_KEY_CHECKING(
      "StrictHostKeyChecking",
      Values.choice(
          Map.of(
              "yes",
              "true",
              "true",
              "true",
              "no",
              "false",
              "false",
              "false",
              "off",
              "false",
              "ask",
              "ask",
              "accept-new",
              "accept-new")),
      State.IMPLEMENTED,
      Gathering.FIRST,
      ""),
  SYSLOG_FACILITY("SyslogFacility", Values::facility, State.ACCEPTED, Gathering.FIRST, ""),
  TAG("Tag", Values::word, State.IMPLEMENTED, Gathering.FIRST, ""),
  TCP_KEEP_ALIVE("TCPKeepAlive", Values::flag, State.IMPLEMENTED, Gathering.FIRST, ""),
  TUNNEL(
      "Tunnel",
      Values.choice(
          Map.of(
              "yes",
              "point-to-point",
              "true",
              "point-to-point",
              "point-to-point",
              "point-to-point",
              "ethernet",
              "ethernet",
              "no",
              "false",
              "false",
              "false")),
      State.ACCEPTED,
      Gathering.FIRST,
      ""),
  TUNNEL_DEVICE("TunnelDevice", Values::tunnelDevice, State.ACCEPTED, Gathering.FIRST, ""),
  UPDATE_HOST_KEYS("UpdateHostKeys", Values.yesNoOr("ask"), State.IMPLEMENTED, Gathering.FIRST, ""),
  USER("User", Values::word, State.IMPLEMENTED, Gathering.FIRST, ""),
  USER_KNOWN_HOSTS_FILE(
      "UserKnownHostsFile", Values::listOrNone, State.IMPLEMENTED, Gathering.FIRST, ""),
  VERIFY_HOST_KEY_DNS(
      "VerifyHostKeyDNS", Values.yesNoOr("ask"), State.ACCEPTED, Gathering.FIRST, "taken as no"),
  VERSION_ADDENDUM("VersionAddendum", Values::anything, State.ACCEPTED, Gathering.FIRST, ""),
  VISUAL_HOST_KEY("VisualHostKey", Values::flag, State.IMPLEMENTED, Gathering.FIRST, ""),
  WARN_WEAK_CRYPTO("WarnWeakCrypto", Values::anything, State.ACCEPTED, Gathering.FIRST, ""),
  XAUTH_LOCATION("XAuthLocation", Values::word, State.ACCEPTED, Gathering.FIRST, ""),
  AFS_TOKEN_PASSING(
      "AFSTokenPassing", Values::anything, State.IGNORED, Gathering.FIRST, "OpenSSH skips it too"),
  CIPHER("Cipher", Values::anything, State.IGNORED, Gathering.FIRST, "OpenSSH skips it too"),
  COMPRESSION_LEVEL(
      "CompressionLevel", Values::anything, State.IGNORED, Gathering.FIRST, "OpenSSH skips it too"),
  FALL_BACK_TO_RSH(
      "FallBackToRsh", Values::anything, State.IGNORED, Gathering.FIRST, "OpenSSH skips it too"),
  GLOBAL_KNOWN_HOSTS_FILE2(
      "GlobalKnownHostsFile2",
      Values::anything,
      State.IGNORED,
      Gathering.FIRST,
      "OpenSSH skips it too"),
  KERBEROS_AUTHENTICATION(
      "KerberosAuthentication",
      Values::anything,
      State.IGNORED,
      Gathering.FIRST,
      "OpenSSH skips it too"),
  KERBEROS_TGT_PASSING(
      "KerberosTgtPassing",
      Values::anything,
      State.IGNORED,
      Gathering.FIRST,
      "OpenSSH skips it too"),
  PROTOCOL("Protocol", Values::anything, State.IGNORED, Gathering.FIRST, "OpenSSH skips it too"),
  RHOSTS_AUTHENTICATION(
      "RhostsAuthentication",
      Values::anything,
      State.IGNORED,
      Gathering.FIRST,
      "OpenSSH skips it too"),
  RHOSTS_RSA_AUTHENTICATION(
      "RhostsRSAAuthentication",
      Values::anything,
      State.IGNORED,
      Gathering.FIRST,
      "OpenSSH skips it too"),
  RSA_AUTHENTICATION(
      "RSAAuthentication",
      Values::anything,
      State.IGNORED,
      Gathering.FIRST,
      "OpenSSH skips it too"),
  USE_PRIVILEGED_PORT(
      "UsePrivilegedPort",
      Values::anything,
      State.IGNORED,
      Gathering.FIRST,
      "OpenSSH skips it too"),
  USE_ROAMING(
      "UseRoaming", Values::anything, State.IGNORED, Gathering.FIRST, "OpenSSH skips it too"),
  USER_KNOWN_HOSTS_FILE2(
      "UserKnownHostsFile2",
      Values::anything,
      State.IGNORED,
      Gathering.FIRST,
      "OpenSSH skips it too"),
  USE_RSH("UseRsh", Values::anything, State.IGNORED, Gathering.FIRST, "OpenSSH skips it too");

  /** What becomes of a keyword. */
  public enum State {
    /** It does what ssh_config(5) says. */
    IMPLEMENTED,
    /** Its arguments are checked, it is shown by {@code -G}, and nothing else: a note at -v. */
    ACCEPTED,
    /** Nothing is done, as in OpenSSH, where it is history. */
    IGNORED
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

  private static final Map<String, Keyword> BY_NAME = new HashMap<>();

  /** Other spellings of OpenSSH's and of Debian's. */
  private static final Map<String, Keyword> ALIASES =
      Map.ofEntries(
          Map.entry("challengeresponseauthentication", KBD_INTERACTIVE_AUTHENTICATION),
          Map.entry("skeyauthentication", KBD_INTERACTIVE_AUTHENTICATION),
          Map.entry("tisauthentication", KBD_INTERACTIVE_AUTHENTICATION),
          Map.entry("dsaauthentication", PUBKEY_AUTHENTICATION),
          Map.entry("hostbasedkeytypes", HOSTBASED_ACCEPTED_ALGORITHMS),
          Map.entry("identityfile2", IDENTITY_FILE),
          Map.entry("keepalive", TCP_KEEP_ALIVE),
          Map.entry("protocolkeepalives", SERVER_ALIVE_INTERVAL),
          Map.entry("pubkeyacceptedkeytypes", PUBKEY_ACCEPTED_ALGORITHMS),
          Map.entry("setuptimeout", SERVER_ALIVE_INTERVAL),
          Map.entry("smartcarddevice", PKCS11_PROVIDER));

  static {
    for (var keyword : values()) {
      BY_NAME.put(keyword.text.toLowerCase(Locale.ROOT), keyword);
    }
    BY_NAME.putAll(ALIASES);
  }

  private final String text;
  private final Values.Reader reader;
  private final State state;
  private final Gathering gathering;
  private final String note;

  Keyword(String text, Values.Reader reader, State state, Gathering gathering, String note) {
    this.text = text;
    this.reader = reader;
    this.state = state;
    this.gathering = gathering;
    this.note = note;
  }

  /** The keyword of that name in any case, or null. */
  public static @Nullable Keyword of(String name) {
    return BY_NAME.get(name.toLowerCase(Locale.ROOT));
  }

  /** As ssh_config(5) writes it. */
  public String text() {
    return text;
  }

  public State state() {
    return state;
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
}

package dev.adit.ssh;

import dev.adit.ssh.crypto.CipherAlgorithm;
import dev.adit.ssh.crypto.KexAlgorithm;
import dev.adit.ssh.crypto.MacAlgorithm;
import java.net.InetAddress;
import java.net.StandardProtocolFamily;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How to reach a server and log in to it. Immutable; made by {@link #to} and the {@code with}
 * methods of its {@link Builder}. The names and defaults are those of ssh_config(5), but for what
 * docs/ says.
 */
public final class ConnectOptions {
  /** What a server that isn't named otherwise listens on. */
  public static final int DEFAULT_PORT = 22;

  final Builder b;

  private ConnectOptions(Builder b) {
    this.b = new Builder(b);
  }

  /** Options for this host; a name or an address without brackets. */
  public static Builder to(String host) {
    return new Builder(host);
  }

  public String host() {
    return b.host;
  }

  public int port() {
    return b.port;
  }

  public String user() {
    return b.user;
  }

  /** A copy to change. */
  public Builder change() {
    return new Builder(b);
  }

  /** Collects options; not thread-safe. */
  public static final class Builder {
    String host;
    int port = DEFAULT_PORT;
    String user = System.getProperty("user.name");
    @Nullable StandardProtocolFamily family;
    @Nullable InetAddress bindAddress;
    Duration connectTimeout = Duration.ZERO;
    int connectionAttempts = 1;
    boolean tcpKeepAlive = true;
    int trafficClass = -1;

    List<String> kexAlgorithms = defaultKexAlgorithms();
    List<String> hostKeyAlgorithms = defaultSignatureAlgorithms();
    boolean hostKeyAlgorithmsSet;
    List<String> ciphers = defaultCiphers();
    List<String> macs = defaultMacs();
    List<String> publicKeyAlgorithms = defaultSignatureAlgorithms();
    boolean compression;
    boolean allowNonStrictKex;
    long rekeyBytes;
    Duration rekeyInterval = Duration.ZERO;

    @Limit(
        bounds =
            "How long a server may take for its identification, for each key "
                + "exchange and for each answer of the login",
        beyond = "disconnect",
        provenBy = {
          "RudePeerTest.serverThatSaysNothing",
          "RudePeerTest.serverThatSticksInTheKeyExchange",
          "RudePeerTest.serverThatNeverFinishesARekey"
        })
    Duration handshakeTimeout = Duration.ofSeconds(30);

    int requiredRsaSize = 2048;

    @Limit(
        bounds =
            "Silence of a server before it is asked for a sign of life " + "(ServerAliveInterval)",
        beyond = "it is asked",
        provenBy = "RudePeerTest.aHalfOpenServerIsFoundByKeepalives")
    Duration aliveInterval = Duration.ofSeconds(15);

    @Limit(
        bounds =
            "Such questions in a row that a server may leave unanswered " + "(ServerAliveCountMax)",
        beyond = "disconnect",
        provenBy = "RudePeerTest.aHalfOpenServerIsFoundByKeepalives")
    int aliveCountMax = 3;

    HostKeyPolicy hostKeyPolicy = HostKeyPolicy.refuseAll();
    List<String> methods = List.of("publickey", "keyboard-interactive", "password");
    IdentitySource identities = IdentitySource.none();
    int passwordPrompts = 3;
    UserInteraction interaction = UserInteraction.NONE;

    @Nullable SshConnection via;
    List<String> proxyCommand = List.of();
    Consumer<TunnelEvent> events = _ -> {};
    Consumer<HandshakeInfo> handshakes = _ -> {};

    private Builder(String host) {
      this.host = host;
    }

    private Builder(Builder from) {
      host = from.host;
      port = from.port;
      user = from.user;
      family = from.family;
      bindAddress = from.bindAddress;
      connectTimeout = from.connectTimeout;
      connectionAttempts = from.connectionAttempts;
      tcpKeepAlive = from.tcpKeepAlive;
      trafficClass = from.trafficClass;
      kexAlgorithms = from.kexAlgorithms;
      hostKeyAlgorithms = from.hostKeyAlgorithms;
      hostKeyAlgorithmsSet = from.hostKeyAlgorithmsSet;
      ciphers = from.ciphers;
      macs = from.macs;
      publicKeyAlgorithms = from.publicKeyAlgorithms;
      compression = from.compression;
      allowNonStrictKex = from.allowNonStrictKex;
      rekeyBytes = from.rekeyBytes;
      rekeyInterval = from.rekeyInterval;
      handshakeTimeout = from.handshakeTimeout;
      requiredRsaSize = from.requiredRsaSize;
      aliveInterval = from.aliveInterval;
      aliveCountMax = from.aliveCountMax;
      hostKeyPolicy = from.hostKeyPolicy;
      methods = from.methods;
      identities = from.identities;
      passwordPrompts = from.passwordPrompts;
      interaction = from.interaction;
      via = from.via;
      proxyCommand = from.proxyCommand;
      events = from.events;
      handshakes = from.handshakes;
    }

    public ConnectOptions build() {
      return new ConnectOptions(this);
    }

    public Builder host(String value) {
      host = value;
      return this;
    }

    public Builder port(int value) {
      port = value;
      return this;
    }

    public Builder user(String value) {
      user = value;
      return this;
    }

    /** AddressFamily: only IPv4 or only IPv6 addresses; null for both. */
    public Builder addressFamily(@Nullable StandardProtocolFamily value) {
      family = value;
      return this;
    }

    /** BindAddress: the local address of the connection. */
    public Builder bindAddress(@Nullable InetAddress value) {
      bindAddress = value;
      return this;
    }

    /** ConnectTimeout, for TCP and for the server's identification; zero waits as TCP does. */
    public Builder connectTimeout(Duration value) {
      connectTimeout = value;
      return this;
    }

    /** ConnectionAttempts: how often every address is tried, a second apart. */
    public Builder connectionAttempts(int value) {
      connectionAttempts = value;
      return this;
    }

    public Builder tcpKeepAlive(boolean value) {
      tcpKeepAlive = value;
      return this;
    }

    /** IPQoS: the TOS or Traffic Class byte of our packets, 0 to 255; -1 for the system's. */
    public Builder trafficClass(int value) {
      trafficClass = value;
      return this;
    }

    public Builder kexAlgorithms(List<String> value) {
      kexAlgorithms = List.copyOf(value);
      return this;
    }

    /**
     * HostKeyAlgorithms. Unless they are set, types of keys that are known for the host come first,
     * so that a server with several keys shows one that can be checked.
     */
    public Builder hostKeyAlgorithms(List<String> value) {
      hostKeyAlgorithms = List.copyOf(value);
      hostKeyAlgorithmsSet = true;
      return this;
    }

    public Builder ciphers(List<String> value) {
      ciphers = List.copyOf(value);
      return this;
    }

    public Builder macs(List<String> value) {
      macs = List.copyOf(value);
      return this;
    }

    /** PubkeyAcceptedAlgorithms. */
    public Builder publicKeyAlgorithms(List<String> value) {
      publicKeyAlgorithms = List.copyOf(value);
      return this;
    }

    public Builder compression(boolean value) {
      compression = value;
      return this;
    }

    /**
     * Whether chacha20-poly1305 and encrypt-then-MAC may be used with a server that lacks strict
     * key exchange, and so is open to CVE-2023-48795. Off by default.
     */
    public Builder allowNonStrictKex(boolean value) {
      allowNonStrictKex = value;
      return this;
    }

    /**
     * RekeyLimit.
     *
     * @param bytes either way under one key; 0 for what the cipher allows (RFC 4344)
     * @param interval time under one key; zero for no limit
     */
    public Builder rekeyLimit(long bytes, Duration interval) {
      rekeyBytes = bytes;
      rekeyInterval = interval;
      return this;
    }

    /** How long a server may take for the SSH handshake; zero for no limit. */
    public Builder handshakeTimeout(Duration value) {
      handshakeTimeout = value;
      return this;
    }

    public Builder requiredRsaSize(int bits) {
      requiredRsaSize = bits;
      return this;
    }

    /** ServerAliveInterval and ServerAliveCountMax; an interval of zero turns it off. */
    public Builder serverAlive(Duration interval, int countMax) {
      aliveInterval = interval;
      aliveCountMax = countMax;
      return this;
    }

    /** Who judges the server's host key. By default every key is refused. */
    public Builder hostKeyPolicy(HostKeyPolicy value) {
      hostKeyPolicy = value;
      return this;
    }

    /** PreferredAuthentications, in order. */
    public Builder authentications(List<String> value) {
      methods = List.copyOf(value);
      return this;
    }

    /** The keys to offer. */
    public Builder identities(IdentitySource value) {
      identities = value;
      return this;
    }

    /**
     * One private key file to offer, without a passphrase or with one that the user is asked for.
     */
    public Builder identityFile(Path file) {
      identities = IdentitySource.files(List.of(file));
      return this;
    }

    public Builder passwordPrompts(int value) {
      passwordPrompts = value;
      return this;
    }

    /** Whom to ask for passwords and passphrases, and to show banners to. */
    public Builder interaction(UserInteraction value) {
      interaction = value;
      return this;
    }

    /** Goes through a channel of this connection instead of a socket (ProxyJump). */
    public Builder via(@Nullable SshConnection value) {
      via = value;
      return this;
    }

    /** Goes through the standard streams of this command instead of a socket (ProxyCommand). */
    public Builder proxyCommand(List<String> value) {
      proxyCommand = List.copyOf(value);
      return this;
    }

    /** Hears what happens in the tunnels; on the event loop, so it must not block. */
    public Builder events(Consumer<TunnelEvent> value) {
      events = value;
      return this;
    }

    /** Hears the result of each key exchange; must not block. */
    public Builder handshakes(Consumer<HandshakeInfo> value) {
      handshakes = value;
      return this;
    }
  }

  /** Key exchange methods that are offered by default, best first. */
  public static List<String> defaultKexAlgorithms() {
    return KexAlgorithm.names().stream().filter(n -> !n.contains("group18")).toList();
  }

  public static List<String> defaultCiphers() {
    return CipherAlgorithm.names();
  }

  public static List<String> defaultMacs() {
    return MacAlgorithm.names();
  }

  /** Signature algorithms for host keys and user keys, certificates first. */
  public static List<String> defaultSignatureAlgorithms() {
    return SignatureAlgorithms.DEFAULT;
  }
}

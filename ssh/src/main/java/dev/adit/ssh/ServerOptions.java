package dev.adit.ssh;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/**
 * What a server offers and whom it serves. Immutable; made by {@link #with} and the methods of its
 * {@link Builder}. The names are those of sshd_config(5); the defaults are safer, as docs/ says.
 */
public final class ServerOptions {
  final Builder b;

  private ServerOptions(Builder b) {
    this.b = new Builder(b);
  }

  /** Options for a server that lets in whom this authenticator admits. */
  public static Builder with(Authenticator authenticator) {
    return new Builder(authenticator);
  }

  /** A copy to change. */
  public Builder change() {
    return new Builder(b);
  }

  /** Collects options; not thread-safe. */
  public static final class Builder {
    Authenticator authenticator;
    List<HostKey> hostKeys = List.of();
    List<InetSocketAddress> listen =
        List.of(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    List<Integer> listenDescriptors = List.of();
    int backlog = 128;
    int eventLoops = Runtime.getRuntime().availableProcessors();
    boolean tcpKeepAlive = true;

    List<String> kexAlgorithms = ConnectOptions.defaultKexAlgorithms();
    List<String> hostKeyAlgorithms = ConnectOptions.defaultSignatureAlgorithms();
    List<String> ciphers = ConnectOptions.defaultCiphers();
    List<String> macs = ConnectOptions.defaultMacs();
    List<String> publicKeyAlgorithms = ConnectOptions.defaultSignatureAlgorithms();
    boolean compression = true;
    boolean allowNonStrictKex;
    long rekeyBytes;
    Duration rekeyInterval = Duration.ZERO;

    @Limit(
        bounds =
            "How long a client may take for a key exchange: the first one, and the " + "later ones",
        beyond = "disconnect",
        provenBy = "RudeClientTest.aClientThatNeverFinishesARekey")
    Duration rekeyTimeout = Duration.ofSeconds(30);

    int requiredRsaSize = 2048;

    @Limit(
        bounds = "Failed attempts of a client to log in (MaxAuthTries)",
        beyond = "disconnect",
        provenBy = "RudeClientTest.aFloodOfFailures")
    int maxAuthTries = 3;

    @Limit(
        bounds = "How long a client may take until it is logged in (LoginGraceTime)",
        beyond = "disconnect",
        provenBy = "RudeClientTest.theGraceTimeIsForAllStepsTogether")
    Duration loginGraceTime = Duration.ofSeconds(30);

    @Limit(
        bounds =
            "Silence of a client before it is asked for a sign of life " + "(ClientAliveInterval)",
        beyond = "it is asked",
        provenBy = "BoundsTest.aClientThatIsGoneIsFound")
    Duration aliveInterval = Duration.ofSeconds(15);

    @Limit(
        bounds =
            "Such questions in a row that a client may leave unanswered " + "(ClientAliveCountMax)",
        beyond = "disconnect",
        provenBy = "BoundsTest.aClientThatIsGoneIsFound")
    int aliveCountMax = 3;

    Duration unusedTimeout = Duration.ZERO;
    ChannelTimeouts channelTimeouts = ChannelTimeouts.NONE;

    TargetResolver targetResolver = TargetResolver.SYSTEM;
    ForwardLimits forwardLimits = ForwardLimits.DEFAULT;
    ConnectionGate gate = ConnectionGate.OPEN;
    Consumer<ServerEvent> events = _ -> {};

    private Builder(Authenticator authenticator) {
      this.authenticator = authenticator;
    }

    private Builder(Builder from) {
      authenticator = from.authenticator;
      hostKeys = from.hostKeys;
      listen = from.listen;
      listenDescriptors = from.listenDescriptors;
      backlog = from.backlog;
      eventLoops = from.eventLoops;
      tcpKeepAlive = from.tcpKeepAlive;
      kexAlgorithms = from.kexAlgorithms;
      hostKeyAlgorithms = from.hostKeyAlgorithms;
      ciphers = from.ciphers;
      macs = from.macs;
      publicKeyAlgorithms = from.publicKeyAlgorithms;
      compression = from.compression;
      allowNonStrictKex = from.allowNonStrictKex;
      rekeyBytes = from.rekeyBytes;
      rekeyInterval = from.rekeyInterval;
      rekeyTimeout = from.rekeyTimeout;
      requiredRsaSize = from.requiredRsaSize;
      maxAuthTries = from.maxAuthTries;
      loginGraceTime = from.loginGraceTime;
      aliveInterval = from.aliveInterval;
      aliveCountMax = from.aliveCountMax;
      unusedTimeout = from.unusedTimeout;
      channelTimeouts = from.channelTimeouts;
      targetResolver = from.targetResolver;
      forwardLimits = from.forwardLimits;
      gate = from.gate;
      events = from.events;
    }

    /**
     * @throws IllegalArgumentException if there is no host key: nobody could know the server again
     */
    public ServerOptions build() {
      if (hostKeys.isEmpty()) {
        throw new IllegalArgumentException("a server needs a host key");
      }
      return new ServerOptions(this);
    }

    public Builder authenticator(Authenticator value) {
      authenticator = value;
      return this;
    }

    /** HostKey: at most one of each type is of use. */
    public Builder hostKeys(List<HostKey> value) {
      hostKeys = List.copyOf(value);
      return this;
    }

    public Builder hostKey(HostKey value) {
      return hostKeys(List.of(value));
    }

    /**
     * ListenAddress and Port: resolved addresses; port 0 lets the system choose. By default a port
     * of its choice on loopback.
     */
    public Builder listen(List<InetSocketAddress> value) {
      listen = List.copyOf(value);
      return this;
    }

    public Builder listen(InetSocketAddress value) {
      return listen(List.of(value));
    }

    /**
     * Sockets that listen already and were handed to this process, by their descriptors: systemd's
     * socket activation. They must not block. Linux only.
     */
    public Builder listenDescriptors(List<Integer> value) {
      listenDescriptors = List.copyOf(value);
      return this;
    }

    /** Connections that may wait in the kernel to be accepted. */
    public Builder backlog(int value) {
      backlog = value;
      return this;
    }

    /** Event loops that the connections are spread over: by default one a processor. */
    public Builder eventLoops(int value) {
      eventLoops = value;
      return this;
    }

    public Builder tcpKeepAlive(boolean value) {
      tcpKeepAlive = value;
      return this;
    }

    public Builder kexAlgorithms(List<String> value) {
      kexAlgorithms = List.copyOf(value);
      return this;
    }

    public Builder hostKeyAlgorithms(List<String> value) {
      hostKeyAlgorithms = List.copyOf(value);
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

    /** Whether clients may ask for compression, which begins after the login. */
    public Builder compression(boolean value) {
      compression = value;
      return this;
    }

    /**
     * Whether chacha20-poly1305 and encrypt-then-MAC may be used with a client that lacks strict
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

    /** How long a client may take to renew the keys; zero for no limit. */
    public Builder rekeyTimeout(Duration value) {
      rekeyTimeout = value;
      return this;
    }

    public Builder requiredRsaSize(int bits) {
      requiredRsaSize = bits;
      return this;
    }

    /** MaxAuthTries: failures of one client before it is disconnected. */
    public Builder maxAuthTries(int value) {
      maxAuthTries = value;
      return this;
    }

    /** LoginGraceTime: from the first byte until the user is logged in; zero for no limit. */
    public Builder loginGraceTime(Duration value) {
      loginGraceTime = value;
      return this;
    }

    /**
     * ClientAliveInterval and ClientAliveCountMax; an interval of zero turns it off, and with a
     * count of zero a client that does not answer is kept.
     */
    public Builder clientAlive(Duration interval, int countMax) {
      aliveInterval = interval;
      aliveCountMax = countMax;
      return this;
    }

    /** UnusedConnectionTimeout: how long a client may have no channel open; zero for ever. */
    public Builder unusedTimeout(Duration value) {
      unusedTimeout = value;
      return this;
    }

    /** ChannelTimeout: how long a client's channels may stand idle. */
    public Builder channelTimeouts(ChannelTimeouts value) {
      channelTimeouts = value;
      return this;
    }

    /** How the names of targets become addresses. */
    public Builder targetResolver(TargetResolver value) {
      targetResolver = value;
      return this;
    }

    /** What each client may have going at once. */
    public Builder forwardLimits(ForwardLimits value) {
      forwardLimits = value;
      return this;
    }

    /** Decides which connections are taken at all. */
    public Builder gate(ConnectionGate value) {
      gate = value;
      return this;
    }

    /** Hears what happens; must not block. */
    public Builder events(Consumer<ServerEvent> value) {
      events = value;
      return this;
    }
  }
}

package dev.adit.gateway;

import ch.qos.logback.classic.AsyncAppender;
import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.JsonEncoder;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import ch.qos.logback.core.FileAppender;
import ch.qos.logback.core.encoder.Encoder;
import dev.adit.ssh.Peer;
import dev.adit.ssh.ServerEvent;
import dev.adit.ssh.SshException;
import dev.adit.ssh.TunnelEvent;
import dev.adit.ssh.UserKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * One structured line for each thing that an auditor asks about: who came, who got in with which
 * key, what was forwarded where and how much, who ended it. As {@code key=value} text or as JSON
 * lines. Nothing secret is in it. Thread-safe, never blocks: what a slow disk can't take is dropped
 * and counted, and the count is written when there is room again.
 */
final class AuditLog implements AutoCloseable {
  private final LoggerContext context = new LoggerContext();
  private final AsyncAppender queue = new AsyncAppender();
  private final Logger log;
  private final boolean isJson;

  /** What a channel was opened for, until it is closed. Guarded by this, as is what follows. */
  private final Map<Long, Map<Integer, String>> channels = new HashMap<>();

  private long dropped;

  private AuditLog(FileAppender<ILoggingEvent> file, boolean isJson) {
    this.isJson = isJson;
    context.setName("audit");
    // A context that SLF4J didn't make has none, and would fail at each line.
    context.setMDCAdapter(new LogbackMDCAdapter());
    file.setContext(context);
    file.setEncoder(encoder(context, isJson));
    file.start();
    queue.setContext(context);
    queue.setQueueSize(GatewayLimits.AUDIT_LINES);
    queue.setDiscardingThreshold(0);
    queue.setNeverBlock(true);
    queue.addAppender(file);
    queue.start();
    var logger = context.getLogger("audit");
    logger.setLevel(Level.INFO);
    logger.addAppender(queue);
    log = logger;
  }

  /**
   * Opens a file to append to; one that isn't there is made for its owner's eyes only.
   *
   * @throws IOException if it can't be written
   */
  static AuditLog open(Path path, boolean isJson) throws IOException {
    if (Files.notExists(path)) {
      Files.createFile(
          path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    }
    if (!Files.isWritable(path)) {
      throw new IOException(path + ": Permission denied");
    }
    var file = new FileAppender<ILoggingEvent>();
    file.setFile(path.toString());
    return new AuditLog(file, isJson);
  }

  private static Encoder<ILoggingEvent> encoder(LoggerContext context, boolean isJson) {
    if (isJson) {
      var encoder = new JsonEncoder();
      encoder.setContext(context);
      encoder.setWithSequenceNumber(false);
      encoder.setWithNanoseconds(false);
      encoder.setWithLevel(false);
      encoder.setWithThreadName(false);
      encoder.setWithLoggerName(false);
      encoder.setWithContext(false);
      encoder.setWithMDC(false);
      encoder.setWithThrowable(false);
      encoder.setWithArguments(false);
      encoder.start();
      return encoder;
    }
    var encoder = new PatternLayoutEncoder();
    encoder.setContext(context);
    encoder.setPattern("time=%d{\"yyyy-MM-dd'T'HH:mm:ss.SSSXXX\"} %msg%n");
    encoder.start();
    return encoder;
  }

  synchronized void event(ServerEvent event) {
    var peer = event.peer();
    switch (event) {
      case ServerEvent.Connected _ -> write("connected", at(peer));
      case ServerEvent.TurnedAway e -> {
        var fields = at(peer);
        fields.put("why", e.why());
        write("turned-away", fields);
      }
      case ServerEvent.KeysExchanged e -> {
        if (e.handshake().first()) {
          var fields = at(peer);
          fields.put("client", e.handshake().peerIdentification());
          fields.put("kex", e.handshake().kex());
          fields.put("cipher", e.handshake().cipherToServer());
          write("keys-exchanged", fields);
        }
      }
      case ServerEvent.LoginFailed e -> {
        var fields = at(peer);
        fields.put("user", e.user());
        fields.put("known", Boolean.toString(e.valid()));
        fields.put("method", e.method());
        key(fields, e.key());
        fields.put("why", e.why());
        write("auth-failure", fields);
      }
      case ServerEvent.MethodSucceeded e -> {
        var fields = at(peer);
        fields.put("user", e.user());
        fields.put("method", e.method());
        key(fields, e.key());
        write("auth-partial", fields);
      }
      case ServerEvent.TooManyFailures e -> {
        var fields = at(peer);
        fields.put("user", e.user());
        write("auth-exhausted", fields);
      }
      case ServerEvent.LoggedIn e -> {
        var fields = at(peer);
        fields.put("user", e.user());
        fields.put("method", String.join(",", e.methods()));
        key(fields, e.key());
        write("auth-success", fields);
      }
      case ServerEvent.Tunnel e -> tunnel(e);
      case ServerEvent.Disconnected e -> {
        channels.remove(peer.connection());
        var fields = at(peer);
        if (e.user() != null) {
          fields.put("user", e.user());
        }
        fields.put("by", culprit(e.cause()));
        fields.put("why", String.valueOf(e.cause().getMessage()));
        write("disconnected", fields);
      }
    }
  }

  private void tunnel(ServerEvent.Tunnel e) {
    var fields = at(e.peer());
    fields.put("user", e.user());
    switch (e.event()) {
      case TunnelEvent.ForwardListening f -> {
        fields.put("forward", f.spec().toString());
        fields.put("where", f.where());
        write("forward-listening", fields);
      }
      case TunnelEvent.ForwardClosed f -> {
        fields.put("forward", f.spec().toString());
        fields.put("where", f.where());
        write("forward-closed", fields);
      }
      case TunnelEvent.ForwardRefused f -> {
        fields.put("forward", f.spec().toString());
        fields.put("why", f.why());
        write("forward-refused", fields);
      }
      case TunnelEvent.ChannelOpening c ->
          channels
              .computeIfAbsent(e.peer().connection(), _ -> new HashMap<>())
              .put(c.channel(), c.what());
      case TunnelEvent.ChannelOpened c -> {
        channel(fields, e.peer(), c.channel(), c.type(), false);
        write("channel-opened", fields);
      }
      case TunnelEvent.ChannelRefused c -> {
        channel(fields, e.peer(), c.channel(), c.type(), true);
        fields.put("by", c.byPeer() ? "client" : "us");
        fields.put("why", c.why());
        write("channel-refused", fields);
      }
      case TunnelEvent.ChannelClosed c -> {
        channel(fields, e.peer(), c.channel(), c.type(), true);
        fields.put("sent", Long.toString(c.sent()));
        fields.put("received", Long.toString(c.received()));
        fields.put("seconds", "%.3f".formatted(c.age().toMillis() / 1000.0));
        fields.put("by", c.closedBy());
        write("channel-closed", fields);
      }
      case TunnelEvent.SessionStarted started -> {
        fields.put("channel", Integer.toString(started.channel()));
        fields.put("what", started.what());
        write("session-started", fields);
      }
      case TunnelEvent.SessionEnded ended -> {
        fields.put("channel", Integer.toString(ended.channel()));
        fields.put("how", ended.how().toString());
        write("session-ended", fields);
      }
      case TunnelEvent.Notice n -> {
        fields.put("text", n.text());
        write("notice", fields);
      }
      case TunnelEvent.Disconnected _ -> {
        // ServerEvent.Disconnected says it, with the culprit.
      }
    }
  }

  private void channel(
      Map<String, String> fields, Peer peer, int number, String type, boolean isLast) {
    fields.put("channel", Integer.toString(number));
    fields.put("type", type);
    var open = channels.get(peer.connection());
    var what = open == null ? null : isLast ? open.remove(number) : open.get(number);
    if (what != null) {
      fields.put("what", what);
    }
  }

  private static Map<String, String> at(Peer peer) {
    var fields = new LinkedHashMap<String, String>();
    fields.put("connection", Long.toString(peer.connection()));
    var remote = peer.remote();
    if (remote != null) {
      fields.put("from", Addresses.text(remote));
      fields.put("port", Integer.toString(remote.getPort()));
    }
    return fields;
  }

  private static void key(Map<String, String> fields, @Nullable UserKey key) {
    if (key == null) {
      return;
    }
    fields.put("key-type", key.type());
    fields.put("key", key.fingerprint());
    var certificate = key.certificate();
    if (certificate != null) {
      fields.put("certificate", certificate.id());
      fields.put("serial", Long.toUnsignedString(certificate.serial()));
      fields.put("authority", certificate.authority());
    }
  }

  private static String culprit(SshException cause) {
    return switch (cause) {
      case SshException.Disconnected d -> d.byRemote() ? "client" : "us";
      case SshException.PeerMisbehaved _ -> "client";
      case SshException.NegotiationFailed _ -> "nobody";
      default -> "us";
    };
  }

  private void write(String event, Map<String, String> fields) {
    if (queue.getRemainingCapacity() == 0) {
      dropped++;
      return;
    }
    if (dropped > 0) {
      long count = dropped;
      dropped = 0;
      emit("dropped", Map.of("lines", Long.toString(count)));
    }
    emit(event, fields);
  }

  private void emit(String event, Map<String, String> fields) {
    if (isJson) {
      var line = log.atInfo();
      for (var field : fields.entrySet()) {
        line = line.addKeyValue(field.getKey(), field.getValue());
      }
      line.log(event);
      return;
    }
    var line = new StringBuilder("event=").append(event);
    fields.forEach(
        (name, value) -> line.append(' ').append(name).append('=').append(quoted(value)));
    log.info("{}", line);
  }

  /** As it is where it is one plain word, otherwise in double quotes. */
  private static String quoted(String value) {
    if (!value.isEmpty() && value.chars().noneMatch(c -> c <= ' ' || c == '"' || c == '=')) {
      return value;
    }
    return '"' + value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
  }

  /** Writes out what is queued. */
  @Override
  public void close() {
    context.stop();
  }
}

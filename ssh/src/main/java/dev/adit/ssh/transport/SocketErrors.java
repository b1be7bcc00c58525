package dev.adit.ssh.transport;

import io.netty.channel.ChannelException;
import io.netty.channel.ConnectTimeoutException;
import java.io.FileNotFoundException;
import java.net.NoRouteToHostException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What the system says when a socket fails, without what Java and Netty put around it. */
public final class SocketErrors {
  // "finishConnect(..) failed with error(-111): Connection refused: /127.0.0.1:1"
  private static final Pattern CALL =
      Pattern.compile("^[\\w.]+\\(.*?\\) failed(?: with error\\(-?\\d+\\))?: ");
  private static final Pattern ADDRESS = Pattern.compile(": [^ /:]*/\\S+$");

  private SocketErrors() {}

  /** The reason as {@code strerror} has it: {@code Connection refused}. */
  public static String plain(@Nullable Throwable failure) {
    if (failure instanceof ChannelException && failure.getCause() != null) {
      // A socket that could not even be made: no descriptor was left.
      return plain(failure.getCause());
    }
    if (failure instanceof ConnectTimeoutException) {
      return "Connection timed out";
    }
    if (failure instanceof FileNotFoundException) {
      // Netty's way to say ENOENT for a Unix socket, without a word.
      return "No such file or directory";
    }
    String message = failure == null ? null : failure.getMessage();
    if (failure instanceof NoRouteToHostException
        && (message == null || message.startsWith("null"))) {
      // Netty's way to say EHOSTUNREACH and ENETUNREACH.
      return "No route to host";
    }
    if (message == null || message.isBlank()) {
      return failure == null ? "unknown error" : failure.getClass().getSimpleName();
    }
    String plain = ADDRESS.matcher(CALL.matcher(message).replaceFirst("")).replaceFirst("");
    return plain.isBlank() ? message : plain;
  }
}

package dev.adit.ssh.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.ChannelException;
import io.netty.channel.ConnectTimeoutException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import org.junit.jupiter.api.Test;

/** What Netty's and Java's exceptions are called by people. */
class SocketErrorsTest {

  @Test
  void saysWhatTheSystemSays() {
    assertThat(
            SocketErrors.plain(
                new ConnectException(
                    "finishConnect(..) failed with error(-111): Connection refused: /127.0.0.1:1")))
        .isEqualTo("Connection refused");
    assertThat(SocketErrors.plain(new NoRouteToHostException("null: /255.255.255.255:80")))
        .isEqualTo("No route to host");
    assertThat(SocketErrors.plain(new NoRouteToHostException("Network is unreachable")))
        .isEqualTo("Network is unreachable");
    assertThat(
            SocketErrors.plain(
                new ChannelException(
                    new IOException(
                        "newSocketStream(..) failed with error(-24): Too many open files"))))
        .isEqualTo("Too many open files");
    assertThat(SocketErrors.plain(new ConnectTimeoutException("connection timed out: /192.0.2.1")))
        .isEqualTo("Connection timed out");
    assertThat(SocketErrors.plain(new FileNotFoundException()))
        .isEqualTo("No such file or directory");
    assertThat(SocketErrors.plain(new IOException())).isEqualTo("IOException");
  }
}

package dev.adit.interop;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedReader;
import java.io.InputStreamReader;

/** A web server that answers with the request line that it got, so that a test sees what came. */
final class HttpOrigin {
  private HttpOrigin() {}

  static TestServer.Handler pages() {
    return connection -> {
      var in = new BufferedReader(new InputStreamReader(connection.in(), US_ASCII));
      String request = in.readLine();
      if (request == null) {
        return;
      }
      int length = 0;
      StringBuilder proxyHeaders = new StringBuilder();
      for (String line; (line = in.readLine()) != null && !line.isEmpty(); ) {
        if (line.startsWith("Proxy-")) {
          proxyHeaders.append(' ').append(line);
        }
        if (line.startsWith("Content-Length: ")) {
          length = Integer.parseInt(line.substring(16));
        }
      }
      char[] body = new char[length];
      for (int read = 0; read < length; ) {
        read += in.read(body, read, length - read);
      }
      String answer =
          request.substring(0, request.lastIndexOf(' ')) + proxyHeaders + new String(body);
      connection
          .out()
          .write(
              "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
                  .formatted(answer.length(), answer)
                  .getBytes(US_ASCII));
    };
  }
}

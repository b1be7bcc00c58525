package dev.adit.demo;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.Executors;

/** A small web site on loopback: one page, and something large to download. */
final class Site implements AutoCloseable {

  /** What {@value #BULK_PATH} has, in bytes. */
  static final long BULK = 256L * 1024 * 1024;

  static final String BULK_PATH = "/large";

  private static final int PIECE = 256 * 1024;

  private final String title;
  private final String text;
  private final HttpServer server;

  private Site(String title, String text, HttpServer server) {
    this.title = title;
    this.text = text;
    this.server = server;
  }

  /**
   * Starts on a free port.
   *
   * @param text what its page says, in plain words
   */
  static Site start(InetAddress loopback, String title, String text) throws IOException {
    HttpServer server = HttpServer.create(new InetSocketAddress(loopback, 0), 0);
    Site site = new Site(title, text, server);
    server.createContext("/", site::answer);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.start();
    return site;
  }

  int port() {
    return server.getAddress().getPort();
  }

  String title() {
    return title;
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      switch (exchange.getRequestURI().getPath()) {
        case "/" -> page(exchange);
        case BULK_PATH -> bulk(exchange);
        default -> exchange.sendResponseHeaders(404, -1);
      }
    }
  }

  private void page(HttpExchange exchange) throws IOException {
    byte[] page =
        """
        <!DOCTYPE html>
        <html lang="en">
        <meta charset="utf-8">
        <title>%1$s</title>
        <style>body{font:1.1em/1.5 sans-serif;max-width:36em;margin:4em auto;padding:0 1em}</style>
        <h1>%1$s</h1>
        <p>%2$s
        <p>This page is served by 127.0.0.1:%3$d, which was asked from port %4$d: by the SSH
        program at this end of the tunnel, not by your browser.
        """
            .formatted(title, text, port(), exchange.getRemoteAddress().getPort())
            .getBytes(UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "text/html; charset=utf-8");
    exchange.sendResponseHeaders(200, page.length);
    exchange.getResponseBody().write(page);
  }

  private static void bulk(HttpExchange exchange) throws IOException {
    exchange.getResponseHeaders().set("Content-Type", "application/octet-stream");
    exchange.sendResponseHeaders(200, BULK);
    byte[] piece = new byte[PIECE];
    OutputStream to = exchange.getResponseBody();
    for (long left = BULK; left > 0; left -= piece.length) {
      to.write(piece, 0, (int) Math.min(piece.length, left));
    }
  }

  @Override
  public void close() {
    server.stop(0);
  }
}

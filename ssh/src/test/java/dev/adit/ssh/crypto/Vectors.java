package dev.adit.ssh.crypto;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.util.HexFormat;
import java.util.Objects;
import java.util.Properties;

/** Recorded values in hexadecimal, from a properties file beside the tests. */
final class Vectors {
  private final Properties values = new Properties();

  Vectors(String resource) {
    try (var in = Objects.requireNonNull(Vectors.class.getResourceAsStream(resource), resource)) {
      values.load(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  byte[] bytes(String key) {
    return hex(text(key));
  }

  BigInteger number(String key) {
    return new BigInteger(text(key), 16);
  }

  String text(String key) {
    return Objects.requireNonNull(values.getProperty(key), key);
  }

  static byte[] hex(String text) {
    return HexFormat.of().parseHex(text.replaceAll("\\s", ""));
  }
}

package dev.adit.ssh.keys;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** The recorded keys (made by make.sh beside them), and the programs that judge us. */
final class TestKeys {
  static final String PASSPHRASE = "tunnel";
  static final PassphraseSource KNOWS = prompt -> PASSPHRASE.toCharArray();

  private TestKeys() {}

  static byte[] bytes(String name) {
    try (InputStream in = TestKeys.class.getResourceAsStream(name)) {
      return Objects.requireNonNull(in, name).readAllBytes();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  static String line(String name) {
    return new String(bytes(name), StandardCharsets.UTF_8).strip();
  }

  static SshPublicKey key(String name) {
    try {
      return SshPublicKey.parseLine(line(name)).key();
    } catch (IOException e) {
      throw new AssertionError(name, e);
    }
  }

  static Certificate certificate(String name) {
    return (Certificate) key(name);
  }

  /** A copy in a directory, with the permissions of a private key. */
  static Path copy(String name, Path directory) throws IOException {
    return write(directory.resolve(name), bytes(name));
  }

  static Path write(Path file, byte[] content) throws IOException {
    Files.write(file, content);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    return file;
  }

  /** What a program said, on standard output and error together, and its exit status. */
  record Said(int status, String text) {}

  static Said run(byte[] input, Object... command) throws IOException, InterruptedException {
    List<String> words = new ArrayList<>();
    for (Object word : command) {
      words.add(word.toString());
    }
    Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
    try (var in = process.getOutputStream()) {
      in.write(input);
    } catch (IOException e) {
      // It may end without reading all.
    }
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Said(process.waitFor(), text);
  }

  static String keygen(Object... arguments) throws IOException, InterruptedException {
    List<Object> command = new ArrayList<>(List.of("ssh-keygen"));
    command.addAll(List.of(arguments));
    return run(new byte[0], command.toArray()).text();
  }
}

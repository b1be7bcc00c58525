package dev.adit.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The C library's crypt() makes the hashes, as it does for htpasswd -B. */
class PasswordFileTest {
  private static String crypt(String password, String salt) throws Exception {
    Process process =
        new ProcessBuilder("perl", "-e", "print crypt($ARGV[0], $ARGV[1])", password, salt).start();
    String hash = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).isZero();
    assertThat(hash).hasSize(60);
    return hash;
  }

  private static boolean accepts(PasswordFile file, String user, String password) throws Exception {
    return file.accepts(user, password.toCharArray());
  }

  @ParameterizedTest
  @ValueSource(strings = {"2a", "2b", "2y"})
  void passwordsOfEveryKindOfBcrypt(String kind) throws Exception {
    String salt = "$" + kind + "$05$abcdefghijklmnopqrstuu";
    PasswordFile file =
        PasswordFile.parse(
            "# users\n\nada:%s\nbob:%s\r\n".formatted(crypt("schlüssel", salt), crypt("b", salt)),
            "passwords");
    assertThat(accepts(file, "ada", "schlüssel")).isTrue();
    assertThat(accepts(file, "bob", "b")).isTrue();
    assertThat(accepts(file, "ada", "b")).isFalse();
    assertThat(accepts(file, "ada", "")).isFalse();
    assertThat(accepts(file, "eve", "b")).isFalse();
    assertThat(file.accepts(null, "b".toCharArray())).isFalse();
  }

  @Test
  void whatBcryptWouldCutIsRefused() throws Exception {
    String full = "x".repeat(72);
    PasswordFile file =
        PasswordFile.parse("ada:" + crypt(full, "$2b$04$abcdefghijklmnopqrstuu"), "passwords");
    assertThat(accepts(file, "ada", full)).isTrue();
    assertThat(accepts(file, "ada", full + "y")).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "ada",
        "ada:secret",
        ":$2b$05$abcdefghijklmnopqrstuuyvPXIbu7xe6/CED2DzX8z6Si09MlzlW",
        "ada:$2b$05$abcdefghijklmnopqrstuuyvPXIbu7xe6/CED2DzX8z6Si09Mlzl",
        "ada:$2b$31$abcdefghijklmnopqrstuuyvPXIbu7xe6/CED2DzX8z6Si09MlzlW",
        "ada:$1$abcdefgh$abcdefghijklmnopqrstuv"
      })
  void aMistakeIsNamedWithoutTheSecret(String line) {
    assertThatThrownBy(() -> PasswordFile.parse("\n" + line, "passwords"))
        .hasMessage("passwords:2: not a name, a colon and a bcrypt hash ($2y$10$...)");
  }

  /** Whoever isn't in the file costs a hash of the same cost: told by what it costs to make one. */
  @Test
  void anUnknownUserCostsAsMuch() throws Exception {
    PasswordFile file =
        PasswordFile.parse("ada:" + crypt("right", "$2b$10$abcdefghijklmnopqrstuu"), "passwords");
    accepts(file, "ada", "warm up");
    long known = processorTime(() -> accepts(file, "ada", "wrong"));
    long unknown = processorTime(() -> accepts(file, "eve", "wrong"));
    // A hundred times less would be no hash at all; so wide a bound fails for no slow machine.
    assertThat(unknown).isGreaterThan(known / 20);
  }

  private interface Work {
    boolean run() throws Exception;
  }

  private static long processorTime(Work work) throws Exception {
    long before = hashingTime();
    assertThat(work.run()).isFalse();
    return hashingTime() - before;
  }

  /** Processor time of the threads that hash. */
  private static long hashingTime() {
    var threads = java.lang.management.ManagementFactory.getThreadMXBean();
    long sum = 0;
    for (var info : threads.getThreadInfo(threads.getAllThreadIds())) {
      if (info != null && info.getThreadName().startsWith("adit-bcrypt-")) {
        sum += threads.getThreadCpuTime(info.getThreadId());
      }
    }
    return sum;
  }
}

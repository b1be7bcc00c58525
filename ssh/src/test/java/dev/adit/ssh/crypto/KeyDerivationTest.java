package dev.adit.ssh.crypto;

import static dev.adit.ssh.crypto.Vectors.hex;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Against AsyncSSH: {@code Kex.compute_key(kex, 0x90807, h(b'exchange'), b'C', h(b'session'), n)}.
 */
class KeyDerivationTest {
  private static final byte[] SECRET = hex("00000003 090807");

  @ParameterizedTest
  @CsvSource({
    "SHA256,31268fef5af299408a5f7761",
    "SHA256,31268fef5af299408a5f77610cf962d2fea17caa70dd42496a5e7719af3a62f5"
        + "6489cc89f0d27677dc9290f6c83c1a35417e5b2768d74675e32b008437b7d48a",
    "SHA256,31268fef5af299408a5f77610cf962d2fea17caa70dd42496a5e7719af3a62f5"
        + "6489cc89f0d27677dc9290f6c83c1a35417e5b2768d74675e32b008437b7d48a"
        + "0d0f61d541db79c90d4585be3fc800683b66ec38650fbe8bec9742fbfe1e163a"
        + "f564e1a806599f8b852723f68a887c55607a035f25db865f02cf59d83b5c1076"
        + "72f93ef038eef8edd310fa1525ae9f7c3859188c5e0342751364c92145121556"
        + "a2c142d446f439249a5e39e695c39c8c6ecff181d8259060df1e0b772c593f46"
        + "e052308b60f6178b",
    "SHA512,07653c888447e7d279988941",
    "SHA512,07653c888447e7d279988941d1a2e14a0335584b4103fdc97e55d5497011a366"
        + "66930dcc813f17c43d8bde41b59d841f5b44e2065dd5cfcd305d441e75ff8124"
        + "9218e41a846902fce5371aff1362cf990aef23f079165ff1e3a97b1223d4dd6b"
        + "5f90c873cf069239072c464017ca3655c1ccbc7c21741ffca651cdd9deeacf32"
        + "cee78b7853356386a1ad2113360d9ab2fd4cc4411aedcd5f10ef8be817e4eb55"
        + "2016b36def7a5a9fa7eaf96151dab334340f81a8733aa167ae4656b9441f9a0f"
        + "f5450f0eb8e73815"
  })
  void derivesAsAsyncSshDoes(Hash hash, String expected) {
    byte[] key = hex(expected);
    byte[] exchangeHash = hash.of("exchange".getBytes(US_ASCII));
    byte[] sessionId = hash.of("session".getBytes(US_ASCII));
    assertThat(KeyDerivation.derive(hash, SECRET, exchangeHash, 'C', sessionId, key.length))
        .isEqualTo(key);
  }

  @Test
  void theLetterMatters() {
    byte[] h = new byte[32];
    byte[] a = KeyDerivation.derive(Hash.SHA256, SECRET, h, 'A', h, 32);
    byte[] b = KeyDerivation.derive(Hash.SHA256, SECRET, h, 'B', h, 32);
    assertThat(a).isNotEqualTo(b);
    assertThat(KeyDerivation.derive(Hash.SHA256, SECRET, h, 'A', h, 0)).isEmpty();
    assertThat(KeyDerivation.derive(Hash.SHA256, SECRET, h, 'A', h, 5))
        .isEqualTo(Arrays.copyOf(a, 5));
  }
}

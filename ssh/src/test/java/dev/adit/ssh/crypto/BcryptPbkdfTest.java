package dev.adit.ssh.crypto;

import static dev.adit.ssh.crypto.Vectors.hex;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against what Python's bcrypt module derives: {@code bcrypt.kdf(password, salt, 32, 4).hex()}. */
class BcryptPbkdfTest {

  @ParameterizedTest
  @CsvSource({
    "password,salt,4,5bbf0cc293587f1c3635555c27796598d47e579071bf427e9d8fbe842aba34d9",
    "passphrase,0123456789abcdef,16,136363279c7d48ddc5e10a95c17522d2ab5a84a3d4dd5b77"
        + "2393b97eb9af0e59132df39b0f072fdc261704fd1356cf0a",
    "a,b,2,dbd791cd6ed1a81823e9b59b97f986169dae4d3ad2ac4fcaa00cdb5fe1b40a0697608bc6f7b97b84eb6e"
        + "d206459330d8839ca7d7c535c2b525c5e9603b7f325f022699bee655b70fea6823b126a79dbde67fed32"
        + "fafac6480163221acbe5dae695a22c7b"
  })
  void derivesTheSameAsPythonsBcrypt(String passphrase, String salt, int rounds, String expected) {
    byte[] key = hex(expected);
    assertThat(
            BcryptPbkdf.derive(
                passphrase.getBytes(US_ASCII), salt.getBytes(US_ASCII), rounds, key.length))
        .isEqualTo(key);
  }

  @Test
  void passphraseMayHaveAnyBytes() {
    assertThat(BcryptPbkdf.derive(hex("c3a90078"), "ssssssssssssssss".getBytes(US_ASCII), 1, 64))
        .isEqualTo(
            hex(
                "fd58220da98b8d1718597ec0a96c2fc77442265f27970a8d2dc0a28e5900278d"
                    + "e9328e3327f6c4f9243a152a27b08cfe70173fa6f0f8689b9f0736377f69f120"));
  }

  @ParameterizedTest
  @CsvSource({"0,32", "-1,32", "65537,32", "2147483647,32", "1,0", "1,-1", "1,1025"})
  void numbersOutOfRangeAreRefused(int rounds, int length) {
    byte[] some = {1};
    assertThatIllegalArgumentException()
        .isThrownBy(() -> BcryptPbkdf.derive(some, some, rounds, length));
  }

  @Test
  void emptyPassphraseOrSaltIsRefused() {
    byte[] some = {1};
    byte[] none = {};
    assertThatIllegalArgumentException().isThrownBy(() -> BcryptPbkdf.derive(none, some, 1, 1));
    assertThatIllegalArgumentException().isThrownBy(() -> BcryptPbkdf.derive(some, none, 1, 1));
  }
}

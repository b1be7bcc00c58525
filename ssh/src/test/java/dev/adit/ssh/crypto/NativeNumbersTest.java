package dev.adit.ssh.crypto;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** OpenSSL's arithmetic against the JDK's. */
class NativeNumbersTest {
  private static final long SEED = 20261201;

  @Test
  void itIsWhatATestMachineUses() {
    assertThat(NativeNumbers.isAvailable()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 64, 65, 1023, 2048, 4096})
  void powersAreThoseOfBigInteger(int bits) {
    var random = new Random(SEED);
    for (int round = 0; round < 20; round++) {
      BigInteger modulus = new BigInteger(bits, random).setBit(0).setBit(bits - 1);
      BigInteger base = new BigInteger(bits + 8, random);
      BigInteger exponent = new BigInteger(256, random);
      assertThat(NativeNumbers.modPow(base, exponent, modulus))
          .as("%s ^ %s mod %s", base, exponent, modulus)
          .isEqualTo(base.modPow(exponent, modulus));
    }
  }

  @Test
  void zeroAndOneAreNumbersToo() {
    BigInteger modulus = BigInteger.valueOf(1_000_003);
    BigInteger some = BigInteger.valueOf(77);
    assertThat(NativeNumbers.modPow(BigInteger.ZERO, some, modulus)).isEqualTo(BigInteger.ZERO);
    assertThat(NativeNumbers.modPow(some, BigInteger.ZERO, modulus)).isEqualTo(BigInteger.ONE);
    assertThat(NativeNumbers.modPow(modulus, some, modulus)).isEqualTo(BigInteger.ZERO);
  }

  @ParameterizedTest
  @EnumSource(names = {"SHA256", "SHA512"})
  void theJdkBelievesRsaSignatures(Hash hash) throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(2048);
    KeyPair pair = generator.generateKeyPair();
    byte[] message = Randomness.bytes(100);
    byte[] pkcs8 = pair.getPrivate().getEncoded();
    byte[] signature = NativeNumbers.rsaSign(pkcs8, hash, message);
    assertThat(pkcs8).as("wiped").containsOnly(0);
    // PKCS #1 v1.5 has one signature for a message.
    Signature judge = Signature.getInstance(hash.signaturePrefix() + "withRSA");
    judge.initSign(pair.getPrivate());
    judge.update(message);
    assertThat(signature).isEqualTo(judge.sign());
  }

  @Test
  void whatIsNoKeyIsLeftToTheJdk() {
    assertThat(NativeNumbers.rsaSign(new byte[40], Hash.SHA256, new byte[1])).isNull();
  }
}

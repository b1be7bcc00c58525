package dev.adit.ssh.crypto;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Both sides of every key exchange method. */
class KexAlgorithmTest {

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "DH_GROUP_EXCHANGE")
  void bothSidesAgree(KexAlgorithm algorithm) throws Exception {
    KeyAgreement initiator = algorithm.initiate();
    KeyAgreement.Response response = algorithm.respond(initiator.initiation());
    assertThat(initiator.secret(response.reply())).isEqualTo(response.secret());
  }
}

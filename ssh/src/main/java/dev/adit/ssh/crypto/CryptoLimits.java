package dev.adit.ssh.crypto;

import dev.adit.ssh.Limit;

/** Bounds on the sizes of keys and groups, in one place. */
public final class CryptoLimits {

  @Limit(
      bounds =
          "Modulus of an RSA key: smaller ones can be factored by those who have the " + "means",
      unit = "bits",
      beyond = "refused, unless RequiredRSASize says otherwise",
      provenBy = "SignatureTest.rsaKeysTooSmallOrTooLargeAreRefused")
  public static final int MIN_RSA_BITS = 2048;

  @Limit(
      bounds = "Modulus of an RSA key: larger ones only burn the time of whoever verifies",
      unit = "bits",
      beyond = "refused",
      provenBy = {
        "SignatureTest.rsaKeysTooSmallOrTooLargeAreRefused",
        "SshPublicKeyTest.rsaKeysOfUnreasonableSizeAreRefused"
      })
  public static final int MAX_RSA_BITS = 8192;

  @Limit(
      bounds = "Public exponent of an RSA key: it is 65537 nearly always",
      unit = "bits",
      beyond = "refused",
      provenBy = "SignatureTest.rsaExponentsThatCannotBeAreRefused")
  static final int MAX_RSA_EXPONENT_BITS = 64;

  @Limit(
      bounds = "Prime of a Diffie-Hellman group (RFC 8270 section 3)",
      unit = "bits",
      beyond = "refused",
      provenBy = "KexAlgorithmTest.groupsThatMustNotBeUsedAreRefused")
  public static final int MIN_GROUP_BITS = 2048;

  @Limit(
      bounds = "Prime of a Diffie-Hellman group: larger ones only burn time",
      unit = "bits",
      beyond = "refused",
      provenBy = "KexAlgorithmTest.groupsThatMustNotBeUsedAreRefused")
  public static final int MAX_GROUP_BITS = 8192;

  @Limit(
      bounds = "Rounds of bcrypt_pbkdf",
      beyond = "refused",
      provenBy = "BcryptPbkdfTest.numbersOutOfRangeAreRefused")
  static final int MAX_BCRYPT_ROUNDS = 1 << 16;

  @Limit(
      bounds = "What bcrypt_pbkdf derives",
      unit = "bytes",
      beyond = "refused",
      provenBy = "BcryptPbkdfTest.numbersOutOfRangeAreRefused")
  static final int MAX_BCRYPT_OUTPUT = 1024;

  private CryptoLimits() {}
}

package dev.adit.ssh.crypto;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The key exchange methods of the name-list in SSH_MSG_KEXINIT, best first, as OpenSSH 10 has them.
 */
public enum KexAlgorithm {
  MLKEM768_X25519("mlkem768x25519-sha256", Hash.SHA256, Form.STRINGS, true),
  SNTRUP761_X25519("sntrup761x25519-sha512", Hash.SHA512, Form.STRINGS, true),
  SNTRUP761_X25519_OPENSSH("sntrup761x25519-sha512@openssh.com", Hash.SHA512, Form.STRINGS, true),
  CURVE25519("curve25519-sha256", Hash.SHA256, Form.STRINGS, false),
  CURVE25519_LIBSSH("curve25519-sha256@libssh.org", Hash.SHA256, Form.STRINGS, false),
  ECDH_NISTP256("ecdh-sha2-nistp256", Hash.SHA256, Form.STRINGS, false),
  ECDH_NISTP384("ecdh-sha2-nistp384", Hash.SHA384, Form.STRINGS, false),
  ECDH_NISTP521("ecdh-sha2-nistp521", Hash.SHA512, Form.STRINGS, false),
  DH_GROUP_EXCHANGE(
      "diffie-hellman-group-exchange-sha256", Hash.SHA256, Form.GROUP_EXCHANGE, false),
  DH_GROUP16("diffie-hellman-group16-sha512", Hash.SHA512, Form.MPINTS, false),
  DH_GROUP18("diffie-hellman-group18-sha512", Hash.SHA512, Form.MPINTS, false),
  DH_GROUP14("diffie-hellman-group14-sha256", Hash.SHA256, Form.MPINTS, false);

  /** Which messages carry the exchange. */
  public enum Form {
    /** Messages 30 and 31, public values as strings (RFC 5656 section 4). */
    STRINGS,
    /** Messages 30 and 31, e and f as mpints (RFC 4253 section 8). */
    MPINTS,
    /** Messages 31 to 34, the server chooses the group (RFC 4419 section 3). */
    GROUP_EXCHANGE
  }

  private final String sshName;
  private final Hash hash;
  private final Form form;
  private final boolean postQuantum;

  KexAlgorithm(String sshName, Hash hash, Form form, boolean postQuantum) {
    this.sshName = sshName;
    this.hash = hash;
    this.form = form;
    this.postQuantum = postQuantum;
  }

  public String sshName() {
    return sshName;
  }

  /** The hash of the exchange and of the keys derived from it. */
  public Hash hash() {
    return hash;
  }

  public Form form() {
    return form;
  }

  /** Whether what is recorded today stays secret when large quantum computers come. */
  public boolean isPostQuantum() {
    return postQuantum;
  }

  /** Null if the name is none of ours. */
  public static @Nullable KexAlgorithm of(String sshName) {
    for (KexAlgorithm algorithm : values()) {
      if (algorithm.sshName.equals(sshName)) {
        return algorithm;
      }
    }
    return null;
  }

  /** All the names, best first. */
  public static List<String> names() {
    return Arrays.stream(values()).map(KexAlgorithm::sshName).toList();
  }

  /**
   * Starts an exchange on the side that speaks first. A group exchange has a group first: {@link
   * DiffieHellman#initiate}.
   */
  public KeyAgreement initiate() {
    return switch (this) {
      case MLKEM768_X25519 -> Hybrid.initiate(MlKem768.INSTANCE, hash);
      case SNTRUP761_X25519, SNTRUP761_X25519_OPENSSH -> Hybrid.initiate(Sntrup761.INSTANCE, hash);
      case CURVE25519, CURVE25519_LIBSSH -> Curve25519.initiate();
      case ECDH_NISTP256 -> Ecdh.initiate(NistCurve.NISTP256);
      case ECDH_NISTP384 -> Ecdh.initiate(NistCurve.NISTP384);
      case ECDH_NISTP521 -> Ecdh.initiate(NistCurve.NISTP521);
      case DH_GROUP14 -> DiffieHellman.initiate(DhGroup.modp(2048));
      case DH_GROUP16 -> DiffieHellman.initiate(DhGroup.modp(4096));
      case DH_GROUP18 -> DiffieHellman.initiate(DhGroup.modp(8192));
      case DH_GROUP_EXCHANGE -> throw needsGroup();
    };
  }

  /**
   * Answers an exchange: the whole of the responder's part. A group exchange has a group first:
   * {@link DiffieHellman#respond}.
   *
   * @param initiation what {@link KeyAgreement#initiation} is on the other side
   * @throws InvalidKeyExchangeException as {@link KeyAgreement#secret}
   */
  public KeyAgreement.Response respond(byte[] initiation) throws InvalidKeyExchangeException {
    return switch (this) {
      case MLKEM768_X25519 -> Hybrid.respond(MlKem768.INSTANCE, hash, initiation);
      case SNTRUP761_X25519, SNTRUP761_X25519_OPENSSH ->
          Hybrid.respond(Sntrup761.INSTANCE, hash, initiation);
      case CURVE25519, CURVE25519_LIBSSH -> Curve25519.respond(initiation);
      case ECDH_NISTP256 -> Ecdh.respond(NistCurve.NISTP256, initiation);
      case ECDH_NISTP384 -> Ecdh.respond(NistCurve.NISTP384, initiation);
      case ECDH_NISTP521 -> Ecdh.respond(NistCurve.NISTP521, initiation);
      case DH_GROUP14 -> DiffieHellman.respond(DhGroup.modp(2048), initiation);
      case DH_GROUP16 -> DiffieHellman.respond(DhGroup.modp(4096), initiation);
      case DH_GROUP18 -> DiffieHellman.respond(DhGroup.modp(8192), initiation);
      case DH_GROUP_EXCHANGE -> throw needsGroup();
    };
  }

  private IllegalStateException needsGroup() {
    return new IllegalStateException(sshName + " needs a group first");
  }
}

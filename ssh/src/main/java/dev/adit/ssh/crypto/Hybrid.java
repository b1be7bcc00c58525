package dev.adit.ssh.crypto;

import dev.adit.ssh.wire.WireWriter;
import java.util.Arrays;

/**
 * A post-quantum KEM and X25519 side by side: whoever wants the secret must break both. Messages
 * are the KEM's part and then the curve's; the secret is the hash of both secrets, and unlike all
 * others it goes into the exchange hash as a string, not as an mpint
 * (draft-ietf-sshm-mlkem-hybrid-kex, draft-ietf-sshm-ntruprime-ssh).
 */
final class Hybrid {

  /** A key encapsulation mechanism, by its raw bytes. */
  interface Kem {
    String name();

    int publicKeyLength();

    int ciphertextLength();

    Decapsulator generate();

    /**
     * @throws InvalidKeyExchangeException if the public key must not be used
     */
    Encapsulated encapsulate(byte[] publicKey) throws InvalidKeyExchangeException;
  }

  /** A key pair that waits for its ciphertext. */
  interface Decapsulator {
    byte[] publicKey();

    /** A forged ciphertext yields some other secret, and no sign of it. */
    byte[] decapsulate(byte[] ciphertext);
  }

  record Encapsulated(byte[] ciphertext, byte[] secret) {}

  private Hybrid() {}

  static KeyAgreement initiate(Kem kem, Hash hash) {
    Decapsulator decapsulator = kem.generate();
    var pair = new Curve25519.KeyPair();
    return new KeyAgreement() {
      @Override
      public byte[] initiation() {
        return concat(decapsulator.publicKey(), pair.publicKey());
      }

      @Override
      public byte[] secret(byte[] reply) throws InvalidKeyExchangeException {
        int kemPart = kem.ciphertextLength();
        requireLength(kem, "reply", reply, kemPart + Curve25519.KEY_LENGTH);
        byte[] kemSecret = decapsulator.decapsulate(Arrays.copyOf(reply, kemPart));
        byte[] curveSecret = pair.agree(Arrays.copyOfRange(reply, kemPart, reply.length));
        return combine(hash, kemSecret, curveSecret);
      }
    };
  }

  static KeyAgreement.Response respond(Kem kem, Hash hash, byte[] initiation)
      throws InvalidKeyExchangeException {
    int kemPart = kem.publicKeyLength();
    requireLength(kem, "initiation", initiation, kemPart + Curve25519.KEY_LENGTH);
    Encapsulated encapsulated = kem.encapsulate(Arrays.copyOf(initiation, kemPart));
    var pair = new Curve25519.KeyPair();
    byte[] curveSecret = pair.agree(Arrays.copyOfRange(initiation, kemPart, initiation.length));
    return new KeyAgreement.Response(
        concat(encapsulated.ciphertext(), pair.publicKey()),
        combine(hash, encapsulated.secret(), curveSecret));
  }

  private static byte[] combine(Hash hash, byte[] kemSecret, byte[] curveSecret) {
    try {
      return WireWriter.create().writeString(hash.of(kemSecret, curveSecret)).toBytes();
    } finally {
      Arrays.fill(kemSecret, (byte) 0);
      Arrays.fill(curveSecret, (byte) 0);
    }
  }

  private static void requireLength(Kem kem, String what, byte[] bytes, int length)
      throws InvalidKeyExchangeException {
    if (bytes.length != length) {
      throw new InvalidKeyExchangeException(
          "the %s of %s with X25519 has %d bytes, not %d"
              .formatted(what, kem.name(), length, bytes.length));
    }
  }

  private static byte[] concat(byte[] a, byte[] b) {
    byte[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }
}

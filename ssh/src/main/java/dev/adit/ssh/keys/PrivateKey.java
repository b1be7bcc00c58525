package dev.adit.ssh.keys;

import dev.adit.ssh.crypto.Ecdsa;
import dev.adit.ssh.crypto.Ed25519;
import dev.adit.ssh.crypto.Hash;
import dev.adit.ssh.crypto.NistCurve;
import dev.adit.ssh.crypto.Rsa;
import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.WireWriter;
import java.math.BigInteger;
import java.util.Arrays;

/** The secret half of a key, in memory. The numbers fit the public half: that was checked. */
sealed interface PrivateKey {

  SshPublicKey publicKey();

  /**
   * Signs.
   *
   * @param algorithm one of the signature algorithms of the key's type
   * @return string algorithm, string signature
   */
  byte[] sign(String algorithm, byte[] data);

  /** The fields that follow the type's name when a key is added to an agent. */
  void writeFields(WireWriter out);

  /** Overwrites what can be overwritten: Java's big numbers can't. */
  default void wipe() {}

  static PrivateKey ed25519(byte[] seed) {
    return new Ed25519Private(seed.clone(), SshPublicKey.ed25519(Ed25519.publicKey(seed)));
  }

  static PrivateKey ecdsa(NistCurve curve, BigInteger d) throws MalformedDataException {
    if (d.signum() <= 0 || d.compareTo(curve.order()) >= 0) {
      throw new MalformedDataException(
          "the private number of the " + curve.sshName() + " key is out of range");
    }
    byte[] point = Ecdsa.publicPoint(curve, d);
    return new EcdsaPrivate(curve, d, point, SshPublicKey.ecdsa(curve, point));
  }

  static PrivateKey rsa(Rsa.PrivateNumbers numbers) throws MalformedDataException {
    // The lower limit of RequiredRSASize is for whoever uses the key to hold.
    var publicKey = SshPublicKey.rsa(numbers.n(), numbers.e(), SshPublicKey.LOWEST_MIN_RSA_BITS);
    BigInteger p = numbers.p();
    BigInteger q = numbers.q();
    if (p.signum() <= 0
        || q.signum() <= 0
        || numbers.d().signum() <= 0
        || numbers.d().compareTo(numbers.n()) >= 0
        || !p.multiply(q).equals(numbers.n())
        || !numbers.qInv().multiply(q).mod(p).equals(BigInteger.ONE)) {
      throw new MalformedDataException("the numbers of the RSA key do not fit together");
    }
    return new RsaPrivate(numbers, publicKey);
  }

  /** Ed25519: the private key is its seed. */
  record Ed25519Private(byte[] seed, SshPublicKey publicKey) implements PrivateKey {
    @Override
    public byte[] sign(String algorithm, byte[] data) {
      return signature(algorithm, Ed25519.sign(seed, data));
    }

    @Override
    public void writeFields(WireWriter out) {
      byte[] point = Ed25519.publicKey(seed);
      out.writeString(point).writeUint32(seed.length + point.length);
      out.writeBytes(seed).writeBytes(point);
    }

    @Override
    public void wipe() {
      Arrays.fill(seed, (byte) 0);
    }

    @Override
    public String toString() {
      return "private key of " + publicKey;
    }
  }

  /** ECDSA. */
  record EcdsaPrivate(NistCurve curve, BigInteger d, byte[] point, SshPublicKey publicKey)
      implements PrivateKey {
    @Override
    public byte[] sign(String algorithm, byte[] data) {
      Ecdsa.RS numbers = Ecdsa.sign(curve, d, data);
      return signature(
          algorithm, WireWriter.create().writeMpint(numbers.r()).writeMpint(numbers.s()).toBytes());
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeString(curve.sshName()).writeString(point).writeMpint(d);
    }

    @Override
    public String toString() {
      return "private key of " + publicKey;
    }
  }

  /** RSA. */
  record RsaPrivate(Rsa.PrivateNumbers numbers, SshPublicKey publicKey) implements PrivateKey {
    @Override
    public byte[] sign(String algorithm, byte[] data) {
      Hash hash = algorithm.equals("rsa-sha2-256") ? Hash.SHA256 : Hash.SHA512;
      return signature(algorithm, Rsa.sign(numbers, hash, data));
    }

    @Override
    public void writeFields(WireWriter out) {
      out.writeMpint(numbers.n()).writeMpint(numbers.e()).writeMpint(numbers.d());
      out.writeMpint(numbers.qInv()).writeMpint(numbers.p()).writeMpint(numbers.q());
    }

    @Override
    public String toString() {
      return "private key of " + publicKey;
    }
  }

  private static byte[] signature(String algorithm, byte[] bytes) {
    return WireWriter.create().writeString(algorithm).writeString(bytes).toBytes();
  }
}

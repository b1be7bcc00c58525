package dev.adit.ssh.keys;

import dev.adit.ssh.crypto.Hash;
import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.WireReader;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Keys and certificates that must not be taken any more (RevokedKeys, RevokedHostKeys): OpenSSH's
 * binary key revocation list (PROTOCOL.krl, made by {@code ssh-keygen -k}), or a text file with a
 * public key on each line. Immutable, safe on any thread.
 */
public final class RevokedKeys {
  private static final byte[] KRL_MAGIC = "SSHKRL\n\0".getBytes(StandardCharsets.ISO_8859_1);
  private static final int KRL_FORMAT = 1;

  private static final int SECTION_CERTIFICATES = 1;
  private static final int SECTION_EXPLICIT_KEY = 2;
  private static final int SECTION_FINGERPRINT_SHA1 = 3;
  private static final int SECTION_SIGNATURE = 4;
  private static final int SECTION_FINGERPRINT_SHA256 = 5;
  private static final int SECTION_EXTENSION = 255;

  private static final int CERT_SERIAL_LIST = 0x20;
  private static final int CERT_SERIAL_RANGE = 0x21;
  private static final int CERT_SERIAL_BITMAP = 0x22;
  private static final int CERT_KEY_ID = 0x23;
  private static final int CERT_EXTENSION = 0x39;

  private static final int SHA1_LENGTH = 20;

  private final Set<ByteBuffer> keys = new HashSet<>();
  private final Set<ByteBuffer> sha1 = new HashSet<>();
  private final Set<ByteBuffer> sha256 = new HashSet<>();
  private final List<Certificates> certificates = new ArrayList<>();

  private RevokedKeys() {}

  /**
   * Reads the file whole: a list that can't be understood must not let a key pass.
   *
   * @throws IOException if it can't be read, or not be understood to its end
   */
  public static RevokedKeys read(Path file) throws IOException {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(KeyLimits.MAX_REVOCATION_LIST + 1);
    }
    if (bytes.length > KeyLimits.MAX_REVOCATION_LIST) {
      throw new IOException(file + ": more than " + KeyLimits.MAX_REVOCATION_LIST + " bytes");
    }
    return parse(bytes, file.toString());
  }

  /**
   * The same from memory.
   *
   * @param name stands in errors where a file's name would
   */
  static RevokedKeys parse(byte[] bytes, String name) throws IOException {
    RevokedKeys revoked = new RevokedKeys();
    int compared = Math.min(bytes.length, KRL_MAGIC.length);
    if (compared > 0 && Arrays.equals(bytes, 0, compared, KRL_MAGIC, 0, compared)) {
      try {
        revoked.readKrl(WireReader.over(bytes));
      } catch (MalformedDataException e) {
        throw new IOException(name + ": key revocation list: " + e.getMessage(), e);
      }
    } else {
      revoked.readLines(bytes, name);
    }
    return revoked;
  }

  /** Whether the key is revoked, or the key in this certificate, or the authority behind it. */
  public boolean contains(SshPublicKey key) {
    return containsKey(key.plain())
        || (key instanceof Certificate certificate
            && (containsKey(certificate.authority())
                || certificates.stream().anyMatch(section -> section.revokes(certificate))));
  }

  private boolean containsKey(SshPublicKey key) {
    byte[] blob = key.blob();
    return keys.contains(ByteBuffer.wrap(blob))
        || (!sha256.isEmpty() && sha256.contains(ByteBuffer.wrap(Hash.SHA256.of(blob))))
        || (!sha1.isEmpty() && sha1.contains(ByteBuffer.wrap(sha1(blob))));
  }

  /** What the list has, not what anything is proved with. */
  private static byte[] sha1(byte[] blob) {
    try {
      return MessageDigest.getInstance("SHA-1").digest(blob);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("this Java runtime has no SHA-1", e);
    }
  }

  // ---- lines

  private void readLines(byte[] bytes, String name) throws IOException {
    int number = 0;
    int start = 0;
    while (start < bytes.length) {
      int end = start;
      while (end < bytes.length && bytes[end] != '\n') {
        end++;
      }
      number++;
      String text = new String(bytes, start, end - start, StandardCharsets.UTF_8).strip();
      if (!text.isEmpty() && !text.startsWith("#")) {
        try {
          readLine(text);
        } catch (MalformedDataException e) {
          throw new IOException(name + ":" + number + ": " + e.getMessage(), e);
        }
      }
      start = end + 1;
    }
  }

  private void readLine(String text) throws MalformedDataException {
    if (text.length() > KeyLimits.MAX_REVOCATION_LINE) {
      throw new MalformedDataException(
          "more than " + KeyLimits.MAX_REVOCATION_LINE + " characters");
    }
    String[] words = text.split("[ \t]+", 3);
    if (words.length >= 2 && isForeign(words[0], words[1])) {
      return;
    }
    // Keys too short to be taken may stand on the list, too.
    keys.add(ByteBuffer.wrap(SshPublicKey.parseLine(text, 1).key().plain().blob()));
  }

  /** A key of a type that we never take (ssh-dss) says nothing, but isn't a mistake either. */
  private static boolean isForeign(String type, String base64) {
    if (KeyType.ofKeyName(type).isPresent() || KeyType.ofCertificateName(type).isPresent()) {
      return false;
    }
    try {
      return WireReader.over(Base64.getDecoder().decode(base64)).readName().equals(type);
    } catch (IllegalArgumentException | MalformedDataException e) {
      return false;
    }
  }

  // ---- key revocation lists

  private void readKrl(WireReader in) throws MalformedDataException {
    in.readBytes(KRL_MAGIC.length);
    long format = in.readUint32();
    if (format != KRL_FORMAT) {
      throw new MalformedDataException("is of format " + format + ", not " + KRL_FORMAT);
    }
    // Version, date, flags, reserved and comment are for people.
    in.readUint64();
    in.readUint64();
    in.readUint64();
    in.readString();
    in.readString();
    while (in.remaining() > 0) {
      int type = in.readByte();
      if (type == SECTION_SIGNATURE) {
        throw new MalformedDataException("is signed; only unsigned ones are read");
      }
      WireReader section = in.readNested();
      switch (type) {
        case SECTION_CERTIFICATES -> certificates.add(Certificates.read(section));
        case SECTION_EXPLICIT_KEY -> {
          while (section.remaining() > 0) {
            keys.add(ByteBuffer.wrap(section.readString()));
          }
        }
        case SECTION_FINGERPRINT_SHA1 -> readDigests(section, SHA1_LENGTH, sha1);
        case SECTION_FINGERPRINT_SHA256 -> readDigests(section, Hash.SHA256.length(), sha256);
        case SECTION_EXTENSION -> readExtension(section);
        default -> throw new MalformedDataException("has a section of the unknown type " + type);
      }
    }
  }

  private static void readDigests(WireReader in, int length, Set<ByteBuffer> into)
      throws MalformedDataException {
    while (in.remaining() > 0) {
      byte[] digest = in.readString();
      if (digest.length != length) {
        throw new MalformedDataException(
            "has a fingerprint of " + digest.length + " bytes, not " + length);
      }
      into.add(ByteBuffer.wrap(digest));
    }
  }

  private static void readExtension(WireReader in) throws MalformedDataException {
    String name = in.readText();
    boolean critical = in.readBoolean();
    in.readString();
    in.expectEnd("an extension");
    if (critical) {
      throw new MalformedDataException("has the unknown critical extension " + name);
    }
  }

  /**
   * A section on certificates.
   *
   * @param authority blob of the key that signed them; null for all authorities
   */
  private record Certificates(
      byte @Nullable [] authority, List<Serials> serials, Set<String> keyIds) {

    static Certificates read(WireReader in) throws MalformedDataException {
      byte[] authority = in.readString();
      // Reserved.
      in.readString();
      List<Serials> serials = new ArrayList<>();
      Set<String> keyIds = new HashSet<>();
      while (in.remaining() > 0) {
        int type = in.readByte();
        WireReader section = in.readNested();
        switch (type) {
          case CERT_SERIAL_LIST -> serials.add(SerialList.read(section));
          case CERT_SERIAL_RANGE -> serials.add(SerialRange.read(section));
          case CERT_SERIAL_BITMAP -> serials.add(SerialBitmap.read(section));
          case CERT_KEY_ID -> {
            while (section.remaining() > 0) {
              keyIds.add(section.readText());
            }
          }
          case CERT_EXTENSION -> readExtension(section);
          default ->
              throw new MalformedDataException(
                  "has a section on certificates of the unknown type " + type);
        }
        section.expectEnd("a section on certificates");
      }
      return new Certificates(authority.length == 0 ? null : authority, serials, keyIds);
    }

    boolean revokes(Certificate certificate) {
      if (authority != null && !Arrays.equals(authority, certificate.authority().blob())) {
        return false;
      }
      long serial = certificate.serial();
      // Zero means that the authority doesn't number its certificates.
      return keyIds.contains(certificate.keyId())
          || (serial != 0 && serials.stream().anyMatch(some -> some.contains(serial)));
    }
  }

  /** Serial numbers, unsigned. */
  private sealed interface Serials {
    boolean contains(long serial);
  }

  /** Kept as in the file: millions cost no more than their bytes, and the search is short. */
  private record SerialList(ByteBuffer numbers) implements Serials {
    static SerialList read(WireReader in) throws MalformedDataException {
      if (in.remaining() % Long.BYTES != 0) {
        throw new MalformedDataException("has a list of serial numbers that is cut short");
      }
      return new SerialList(ByteBuffer.wrap(in.readRest()));
    }

    @Override
    public boolean contains(long serial) {
      for (int at = 0; at < numbers.limit(); at += Long.BYTES) {
        if (numbers.getLong(at) == serial) {
          return true;
        }
      }
      return false;
    }
  }

  /** Both ends included. */
  private record SerialRange(long first, long last) implements Serials {
    static SerialRange read(WireReader in) throws MalformedDataException {
      return new SerialRange(in.readUint64(), in.readUint64());
    }

    @Override
    public boolean contains(long serial) {
      return Long.compareUnsigned(serial, first) >= 0 && Long.compareUnsigned(serial, last) <= 0;
    }
  }

  /** Bit n stands for the number {@code offset} + n. */
  private record SerialBitmap(long offset, BigInteger bits) implements Serials {
    static SerialBitmap read(WireReader in) throws MalformedDataException {
      long offset = in.readUint64();
      BigInteger bits = in.readMpint();
      if (bits.signum() < 0) {
        throw new MalformedDataException("has a negative bitmap of serial numbers");
      }
      return new SerialBitmap(offset, bits);
    }

    @Override
    public boolean contains(long serial) {
      long bit = serial - offset;
      return Long.compareUnsigned(serial, offset) >= 0
          && Long.compareUnsigned(bit, bits.bitLength()) < 0
          && bits.testBit((int) bit);
    }
  }
}

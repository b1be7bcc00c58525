package dev.adit.ssh.keys;

import dev.adit.ssh.wire.MalformedDataException;
import dev.adit.ssh.wire.WireReader;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A key with what a certification authority says about it (OpenSSH's PROTOCOL.certkeys). Parsing
 * checks that the authority in it signed it. Whether that authority is to be trusted is for
 * known_hosts or authorized_keys to say, and {@link #checkHost} or {@link #checkUser} whether the
 * certificate holds for a name at a time.
 */
public final class Certificate extends SshPublicKey {

  /** What a certificate may be used for. */
  public enum Use {
    USER("user"),
    HOST("host");

    private final String word;

    Use(String word) {
      this.word = word;
    }
  }

  /** The default of CASignatureAlgorithms: all that we verify. */
  public static final List<String> DEFAULT_CA_ALGORITHMS = KeyType.allSignatureAlgorithms();

  /** Valid before the end of time: 2^64 - 1. */
  private static final long FOREVER = -1;

  /** The critical options for users that are known; whoever admits a user must obey them. */
  private static final Set<String> USER_OPTIONS =
      Set.of("force-command", "source-address", "verify-required");

  private final SshPublicKey certified;
  private final long serial;
  private final Use use;
  private final String keyId;
  private final List<String> principals;
  private final long validAfter;
  private final long validBefore;
  private final Map<String, byte[]> criticalOptions;
  private final Map<String, byte[]> extensions;
  private final SshPublicKey authority;
  private final String authorityAlgorithm;

  /** Reads the fields behind the type's name. */
  static Certificate read(KeyType type, byte[] blob, WireReader in, int minRsaBits)
      throws MalformedDataException {
    try {
      return new Certificate(type, blob, in, minRsaBits);
    } catch (MalformedDataException e) {
      throw new MalformedDataException(type.certificateName() + ": " + e.getMessage(), e);
    }
  }

  private Certificate(KeyType type, byte[] blob, WireReader in, int minRsaBits)
      throws MalformedDataException {
    super(type, blob.clone());
    // The nonce only keeps the authority from signing what somebody else has chosen.
    in.readString();
    certified = readFields(type, in, minRsaBits);
    serial = in.readUint64();
    use = readUse(in);
    keyId = in.readUtf8();
    principals = readPrincipals(in.readNested());
    validAfter = in.readUint64();
    validBefore = in.readUint64();
    criticalOptions = readOptions(in.readNested(), "critical option");
    extensions = readOptions(in.readNested(), "extension");
    // Reserved.
    in.readString();
    byte[] authorityBlob = in.readString();
    String authorityType = WireReader.over(authorityBlob).readName();
    if (KeyType.ofCertificateName(authorityType).isPresent()) {
      throw new MalformedDataException("is signed by a certificate, and chains are not allowed");
    }
    authority = SshPublicKey.parse(authorityBlob, minRsaBits);
    int signedLength = blob.length - in.remaining();
    byte[] signature = in.readString();
    in.expectEnd("it");
    authorityAlgorithm = WireReader.over(signature).readName();
    try {
      authority.verify(authorityAlgorithm, Arrays.copyOf(blob, signedLength), signature);
    } catch (InvalidSignatureException e) {
      throw new MalformedDataException("the authority's signature: " + e.getMessage(), e);
    }
  }

  private static Use readUse(WireReader in) throws MalformedDataException {
    long number = in.readUint32();
    if (number == 1) {
      return Use.USER;
    }
    if (number == 2) {
      return Use.HOST;
    }
    throw new MalformedDataException("is of the unknown type " + number);
  }

  private static List<String> readPrincipals(WireReader in) throws MalformedDataException {
    List<String> principals = new ArrayList<>();
    while (in.remaining() > 0) {
      if (principals.size() == KeyLimits.MAX_PRINCIPALS) {
        throw new MalformedDataException(
            "has more than " + KeyLimits.MAX_PRINCIPALS + " principals");
      }
      principals.add(in.readUtf8());
    }
    return List.copyOf(principals);
  }

  private static Map<String, byte[]> readOptions(WireReader in, String what)
      throws MalformedDataException {
    Map<String, byte[]> options = new LinkedHashMap<>();
    while (in.remaining() > 0) {
      if (options.size() == KeyLimits.MAX_CERTIFICATE_OPTIONS) {
        throw new MalformedDataException(
            "has more than " + KeyLimits.MAX_CERTIFICATE_OPTIONS + " of: " + what);
      }
      String name = in.readUtf8();
      if (options.put(name, in.readString()) != null) {
        throw new MalformedDataException("has the " + what + " " + name + " twice");
      }
    }
    return Collections.unmodifiableMap(options);
  }

  /** The key that is certified: its owner signs with it. */
  @Override
  public SshPublicKey plain() {
    return certified;
  }

  @Override
  public String typeName() {
    return type().certificateName();
  }

  @Override
  public int bits() {
    return certified.bits();
  }

  @Override
  public List<String> algorithms() {
    return type().certificateAlgorithms();
  }

  @Override
  public String describe() {
    return certified.describe() + "-CERT";
  }

  /** The number that the authority gave it, an unsigned 64-bit value; 0 for none. */
  public long serial() {
    return serial;
  }

  public Use use() {
    return use;
  }

  /** The authority's name for the holder, for logs. Comes from outside: escape it to show it. */
  public String keyId() {
    return keyId;
  }

  /** The host names or user names for which it holds. */
  public List<String> principals() {
    return principals;
  }

  /** Options which must be obeyed: their names, and data in the format of each. */
  public Map<String, byte[]> criticalOptions() {
    return criticalOptions;
  }

  /** Permissions, which may be ignored: their names, and data in the format of each. */
  public Map<String, byte[]> extensions() {
    return extensions;
  }

  /** The key of the authority that signed it; never a certificate itself. */
  public SshPublicKey authority() {
    return authority;
  }

  /** The signature algorithm that the authority used. */
  public String authorityAlgorithm() {
    return authorityAlgorithm;
  }

  /**
   * Whether it holds for a host. A certificate without principals holds for every host, as
   * PROTOCOL.certkeys has it: the line with {@code @cert-authority} says for which hosts the
   * authority is asked at all. Principals are compared to the letter: no wildcards.
   *
   * @param host the name that was asked for, in lower case
   * @param caAlgorithms CASignatureAlgorithms
   */
  public void checkHost(String host, Instant now, Collection<String> caAlgorithms)
      throws InvalidCertificateException {
    checkUseAndTime(Use.HOST, now);
    if (!principals.isEmpty() && !principals.contains(host)) {
      throw new InvalidCertificateException("Certificate invalid: name is not a listed principal");
    }
    checkOptionsAndAuthority(Set.of(), caAlgorithms);
  }

  /**
   * Whether it holds for a user. A certificate without principals holds for nobody. Its critical
   * options are known, and the caller must still obey them.
   *
   * @param user the name to be compared with the principals, to the letter
   * @param caAlgorithms CASignatureAlgorithms
   */
  public void checkUser(String user, Instant now, Collection<String> caAlgorithms)
      throws InvalidCertificateException {
    checkUser(List.of(user), now, caAlgorithms);
  }

  /**
   * The same where other names than the user's are asked for: the certificate must have one of
   * them. Names are compared to the letter: a comma in one separates nothing (CVE-2026-35414).
   */
  public void checkUser(Collection<String> names, Instant now, Collection<String> caAlgorithms)
      throws InvalidCertificateException {
    checkUseAndTime(Use.USER, now);
    if (principals.isEmpty()) {
      throw new InvalidCertificateException("Certificate lacks principal list");
    }
    if (names.stream().noneMatch(name -> !name.isEmpty() && principals.contains(name))) {
      throw new InvalidCertificateException("Certificate invalid: name is not a listed principal");
    }
    checkOptionsAndAuthority(USER_OPTIONS, caAlgorithms);
  }

  private void checkUseAndTime(Use wanted, Instant now) throws InvalidCertificateException {
    if (use != wanted) {
      throw new InvalidCertificateException(
          "Certificate invalid: not a " + wanted.word + " certificate");
    }
    long seconds = now.getEpochSecond();
    if (seconds < 0 || Long.compareUnsigned(seconds, validAfter) < 0) {
      throw new InvalidCertificateException("Certificate invalid: not yet valid");
    }
    if (Long.compareUnsigned(seconds, validBefore) >= 0 && validBefore != FOREVER) {
      throw new InvalidCertificateException("Certificate invalid: expired");
    }
  }

  private void checkOptionsAndAuthority(Set<String> knownOptions, Collection<String> caAlgorithms)
      throws InvalidCertificateException {
    for (String option : criticalOptions.keySet()) {
      if (!knownOptions.contains(option)) {
        throw new InvalidCertificateException("Certificate contains unsupported critical options");
      }
    }
    if (!caAlgorithms.contains(authorityAlgorithm)) {
      throw new InvalidCertificateException("Certificate signed with disallowed algorithm");
    }
  }

  @Override
  boolean verifyFields(
      String algorithm, byte[] data, WireReader signature, SecurityKeyRules rules) {
    throw new AssertionError("a certificate verifies by the key that it certifies");
  }
}

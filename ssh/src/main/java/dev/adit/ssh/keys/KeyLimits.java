package dev.adit.ssh.keys;

import dev.adit.ssh.Limit;

/** Bounds on keys, certificates, the agent, and the files that hold them, in one place. */
public final class KeyLimits {

  @Limit(
      bounds = "A message of an agent, in either direction, as OpenSSH has it",
      unit = "bytes",
      beyond = "the agent is left",
      provenBy = "AgentTest.answersThatAreCutShortOrTooLongAreErrors")
  static final int MAX_AGENT_FRAME = 256 * 1024;

  @Limit(
      bounds = "Keys that an agent may list, as OpenSSH has it",
      beyond = "the agent is left",
      provenBy = "AgentTest.moreKeysThanOpenSshTakesAreAnError")
  static final int MAX_AGENT_KEYS = 2048;

  @Limit(
      bounds = "Host keys that a server announces: more than any has",
      beyond = "disconnect",
      provenBy = "BoundsTest.moreHostKeysThanAnyServerHas")
  public static final int MAX_ANNOUNCED_KEYS = 128;

  @Limit(
      bounds = "Host keys that a client asks to be proven at once: each costs a signature",
      beyond = "the request fails",
      provenBy = "BoundsTest.moreProofsThanThereAreKeys")
  public static final int MAX_PROOFS = 128;

  @Limit(
      bounds = "Principals of a certificate, as OpenSSH has it",
      beyond = "refused",
      provenBy = "CertificateTest.principalsAndOptionsHaveALimit")
  static final int MAX_PRINCIPALS = 256;

  @Limit(
      bounds = "Critical options, and extensions, of a certificate: OpenSSH knows nine",
      beyond = "refused",
      provenBy = "CertificateTest.principalsAndOptionsHaveALimit")
  static final int MAX_CERTIFICATE_OPTIONS = 256;

  @Limit(
      bounds = "A file with one key, as OpenSSH has it",
      unit = "bytes",
      beyond = "the file is refused",
      provenBy = "PrivateKeyFileTest.filesTooLargeForAKeyAreRefused")
  static final int MAX_KEY_FILE = 1 << 20;

  @Limit(
      bounds =
          "Rounds of bcrypt that a key file asks for: one takes some 10 ms, and "
              + "ssh-keygen takes 16",
      beyond = "the file is refused",
      provenBy = "PrivateKeyFileTest.filesThatWouldKeepUsBusyAreRefused")
  static final int MAX_FILE_ROUNDS = 10_000;

  @Limit(
      bounds =
          "Iterations of PBKDF2 that a key file asks for: some minutes of work; "
              + "OpenSSL takes 2048",
      beyond = "the file is refused",
      provenBy = "PrivateKeyFileTest.filesThatWouldKeepUsBusyAreRefused")
  static final int MAX_PBKDF2_ITERATIONS = 10_000_000;

  @Limit(
      bounds = "Memory of scrypt (128 * N * r) that a key file asks for; OpenSSL takes 16 MiB",
      unit = "bytes",
      beyond = "the file is refused",
      provenBy = "PrivateKeyFileTest.filesThatWouldKeepUsBusyAreRefused")
  static final long MAX_SCRYPT_MEMORY = 256L << 20;

  @Limit(
      bounds = "Passes of scrypt (p) that a key file asks for",
      beyond = "the file is refused",
      provenBy = "PrivateKeyFileTest.filesThatWouldKeepUsBusyAreRefused")
  static final int MAX_SCRYPT_PARALLEL = 16;

  @Limit(
      bounds = "known_hosts: more than a hundred thousand hosts",
      unit = "bytes",
      beyond = "the file is refused",
      provenBy = "KnownHostsTest.aFileWithoutEndIsRefused")
  static final int MAX_KNOWN_HOSTS = 64 << 20;

  @Limit(
      bounds = "authorized_keys and principals: more than ten thousand lines",
      unit = "bytes",
      beyond = "the file lets nobody in",
      provenBy = "AuthorizedKeysTest.limits")
  public static final int MAX_AUTHORIZED_KEYS = 16 << 20;

  @Limit(
      bounds = "A line of authorized_keys, options and comment included",
      unit = "bytes",
      beyond = "the line lets nobody in",
      provenBy = "AuthorizedKeysTest.limits")
  public static final int MAX_AUTHORIZED_LINE = 64 << 10;

  @Limit(
      bounds = "permitopen and permitlisten of one key, as OpenSSH has it",
      beyond = "the line lets nobody in",
      provenBy = "KeyOptionsTest.thereIsALimitToTheirNumber")
  static final int MAX_PERMITS = 4096;

  @Limit(
      bounds = "environment options of one key, as OpenSSH has it",
      beyond = "the line lets nobody in",
      provenBy = "KeyOptionsTest.thereIsALimitToTheirNumber")
  static final int MAX_KEY_VARIABLES = 1024;

  @Limit(
      bounds = "Name of a host in permitopen (NI_MAXHOST)",
      unit = "bytes",
      beyond = "the line lets nobody in",
      provenBy = "KeyOptionsTest.thereIsALimitToTheirNumber")
  static final int MAX_PERMITTED_HOST = 1024;

  @Limit(
      bounds = "RevokedKeys: more than a hundred thousand keys, or millions of serial numbers",
      unit = "bytes",
      beyond = "the file is refused, and so is every key",
      provenBy = "RevokedKeysTest.aListWithoutEndIsRefused")
  static final int MAX_REVOCATION_LIST = 64 << 20;

  @Limit(
      bounds = "A line of a plain RevokedKeys",
      unit = "characters",
      beyond = "the file is refused, and so is every key",
      provenBy = "RevokedKeysTest.aListWithoutEndIsRefused")
  static final int MAX_REVOCATION_LINE = 64 << 10;

  private KeyLimits() {}
}

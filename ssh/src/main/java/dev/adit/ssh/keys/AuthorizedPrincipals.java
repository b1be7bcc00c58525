package dev.adit.ssh.keys;

import dev.adit.ssh.wire.MalformedDataException;
import java.util.ArrayList;
import java.util.List;

/**
 * The names of which a certificate must have one to let a user in (AuthorizedPrincipalsFile): one
 * on a line, perhaps with options before it. Names are compared to the letter, a comma in one
 * included (CVE-2026-35414). Immutable, safe on any thread.
 */
public final class AuthorizedPrincipals {
  private final List<AuthorizedKeys.Line> lines;

  private AuthorizedPrincipals(List<AuthorizedKeys.Line> lines) {
    this.lines = lines;
  }

  /**
   * @throws MalformedDataException if the file is longer than {@link KeyLimits#MAX_AUTHORIZED_KEYS}
   */
  public static AuthorizedPrincipals parse(byte[] file) throws MalformedDataException {
    if (file.length > KeyLimits.MAX_AUTHORIZED_KEYS) {
      throw new MalformedDataException("more than " + KeyLimits.MAX_AUTHORIZED_KEYS + " bytes");
    }
    return new AuthorizedPrincipals(AuthorizedKeys.Line.split(file));
  }

  /** The lines that name a principal of the certificate, from the top. */
  public List<AuthorizedKeys.Entry> find(
      Certificate certificate, AuthorizedKeys.Problems problems) {
    List<AuthorizedKeys.Entry> found = new ArrayList<>();
    for (AuthorizedKeys.Line line : lines) {
      int comment = line.text().indexOf('#');
      String text = comment < 0 ? line.text() : line.text().substring(0, comment).strip();
      int name = Math.max(text.lastIndexOf(' '), text.lastIndexOf('\t')) + 1;
      if (!certificate.principals().contains(text.substring(name))) {
        continue;
      }
      if (line.isTooLong()) {
        problems.found(line.number(), "more than " + KeyLimits.MAX_AUTHORIZED_LINE + " bytes");
        continue;
      }
      try {
        KeyOptions options = KeyOptions.parse(text.substring(0, name).strip());
        found.add(new AuthorizedKeys.Entry(line.number(), options));
      } catch (MalformedDataException e) {
        problems.found(line.number(), "bad principals options: " + e.getMessage());
      }
    }
    return found;
  }
}

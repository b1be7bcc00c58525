package dev.adit.ssh.keys;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import java.util.Locale;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The first field of a known_hosts line: names separated by commas, with {@code *} and {@code ?},
 * with {@code !} for names that must not match; or one name hashed as {@code |1|salt|hash}.
 */
final class HostPatterns {
  private static final String HASHED = "|1|";
  private static final int HASH_LENGTH = 20;

  private HostPatterns() {}

  /**
   * Whether the field is about this host.
   *
   * @param name in lower case, with a port other than 22 as {@code [host]:port}
   */
  static boolean matches(String field, String name) {
    if (field.startsWith("|")) {
      return hashMatches(field, name);
    }
    boolean found = false;
    for (String pattern : field.toLowerCase(Locale.ROOT).split(",")) {
      boolean negated = pattern.startsWith("!");
      if (globMatches(negated ? pattern.substring(1) : pattern, name)) {
        if (negated) {
          return false;
        }
        found = true;
      }
    }
    return found;
  }

  /** Whether the field names exactly this host, and nothing else. */
  static boolean isOnly(String field, String name) {
    return field.startsWith("|") ? hashMatches(field, name) : field.equalsIgnoreCase(name);
  }

  static String hash(String name, byte[] salt) {
    Base64.Encoder base64 = Base64.getEncoder();
    return HASHED + base64.encodeToString(salt) + "|" + base64.encodeToString(hmac(salt, name));
  }

  private static boolean hashMatches(String field, String name) {
    String[] parts = field.split("\\|", -1);
    if (parts.length != 4 || !field.startsWith(HASHED)) {
      return false;
    }
    try {
      byte[] salt = Base64.getDecoder().decode(parts[2]);
      byte[] hash = Base64.getDecoder().decode(parts[3]);
      return salt.length == HASH_LENGTH && MessageDigest.isEqual(hash, hmac(salt, name));
    } catch (IllegalArgumentException notBase64) {
      return false;
    }
  }

  /** HMAC-SHA1: what the file format has. It hides names a little, and proves nothing. */
  private static byte[] hmac(byte[] salt, String name) {
    try {
      Mac mac = Mac.getInstance("HmacSHA1");
      mac.init(new SecretKeySpec(salt, "HmacSHA1"));
      return mac.doFinal(name.getBytes(StandardCharsets.UTF_8));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("this Java runtime has no HmacSHA1", e);
    }
  }

  /**
   * {@code *} for any text, {@code ?} for one character. Takes no more than pattern x name steps.
   */
  static boolean globMatches(String pattern, String name) {
    // The prefixes of the name that the pattern so far matches.
    boolean[] matched = new boolean[name.length() + 1];
    matched[0] = true;
    for (int p = 0; p < pattern.length(); p++) {
      char c = pattern.charAt(p);
      if (c == '*') {
        for (int n = 1; n <= name.length(); n++) {
          matched[n] |= matched[n - 1];
        }
      } else {
        for (int n = name.length(); n > 0; n--) {
          matched[n] = matched[n - 1] && (c == '?' || c == name.charAt(n - 1));
        }
        matched[0] = false;
      }
    }
    return matched[name.length()];
  }

  /** The field without one of its names; empty if none is left. */
  static String without(String field, String name) {
    if (isOnly(field, name)) {
      return "";
    }
    return String.join(
        ",", Arrays.stream(field.split(",")).filter(each -> !each.equalsIgnoreCase(name)).toList());
  }
}

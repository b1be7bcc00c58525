package dev.adit.config;

import java.util.List;
import java.util.Locale;

/** CanonicalizeHostname: searches short names in domains of our own choice. */
final class Canonicalizer {
  private final LocalSide.NameLookup names;
  private final Settings settings;

  Canonicalizer(LocalSide.NameLookup names, Settings settings) {
    this.names = names;
    this.settings = settings;
  }

  /**
   * The full name of a host; the name itself where it is an address, has dots enough, or is found
   * nowhere and CanonicalizeFallbackLocal allows that.
   *
   * @throws ConfigException when it is found nowhere and that is not allowed
   */
  String canonicalize(String host) throws ConfigException {
    if (isAddress(host)) {
      return host;
    }
    if (host.endsWith(".")) {
      // Absolute: there is nothing to search for.
      var absolute = host.substring(0, host.length() - 1);
      return names
          .canonicalName(host)
          .map(canonical -> follow(absolute, canonical))
          .orElse(absolute);
    }
    var maxDots = (Integer) settings.get(Keyword.CANONICALIZE_MAX_DOTS);
    long dots = host.chars().filter(c -> c == '.').count();
    var domains = settings.get(Keyword.CANONICAL_DOMAINS);
    if (dots <= (maxDots == null ? 1 : maxDots) && domains != null) {
      for (var domain : (List<?>) domains) {
        if (((String) domain).equalsIgnoreCase("none")) {
          continue;
        }
        var candidate = host + "." + domain;
        // With a final dot, so that the resolver's own search list stays out of it.
        var canonical = names.canonicalName(candidate + ".");
        if (canonical.isPresent()) {
          return follow(candidate, canonical.get());
        }
      }
    }
    if (Boolean.FALSE.equals(settings.get(Keyword.CANONICALIZE_FALLBACK_LOCAL))) {
      throw new ConfigException("Could not resolve host \"%s\"".formatted(host));
    }
    return host;
  }

  /** Goes where the CNAMEs lead if CanonicalizePermittedCNAMEs says so. */
  private String follow(String host, String canonical) {
    var target =
        canonical.endsWith(".") ? canonical.substring(0, canonical.length() - 1) : canonical;
    var rules = settings.get(Keyword.CANONICALIZE_PERMITTED_CNAMES);
    if (rules == null || target.equalsIgnoreCase(host)) {
      return host;
    }
    for (var rule : (List<?>) rules) {
      var sides = ((String) rule).split(":", 2);
      if (sides.length == 2
          && Patterns.hosts(host.toLowerCase(Locale.ROOT), sides[0]) == Patterns.Verdict.MATCHED
          && Patterns.hosts(target.toLowerCase(Locale.ROOT), sides[1])
              == Patterns.Verdict.MATCHED) {
        return target;
      }
    }
    return host;
  }

  private static boolean isAddress(String host) {
    return host.indexOf(':') >= 0 || host.matches("\\d{1,3}(\\.\\d{1,3}){3}");
  }
}

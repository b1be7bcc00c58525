package dev.adit.config.server;

import dev.adit.config.ConfigException;
import dev.adit.config.Patterns;
import dev.adit.config.Values;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The condition of a Match block. Without criteria it is {@code Match all}. */
record MatchCriteria(List<Criterion> criteria) {

  record Criterion(String attribute, String argument) {}

  static MatchCriteria parse(String text, int line) throws ConfigException {
    var words = words(text);
    var criteria = new ArrayList<Criterion>();
    for (int i = 0; i < words.size(); i++) {
      var attribute = words.get(i).toLowerCase(Locale.ROOT);
      var argument = i + 1 < words.size() ? words.get(i + 1) : "";
      if (attribute.equals("all")) {
        if (i > 0 || !argument.isEmpty()) {
          throw new ConfigException("'all' cannot be combined with other Match attributes");
        }
        return new MatchCriteria(List.of());
      }
      if (argument.isEmpty()) {
        throw new ConfigException("Missing Match criteria for " + words.get(i));
      }
      switch (attribute) {
        case "user", "group", "host", "rdomain" -> {
          // Any pattern will do.
        }
        case "address", "localaddress" -> {
          if (!AddressList.isValid(argument)) {
            throw new ConfigException(
                "Invalid Match %s argument '%s' at line %d".formatted(attribute, argument, line));
          }
        }
        case "localport" -> {
          try {
            Values.parsePort(argument);
          } catch (ConfigException e) {
            throw new ConfigException(
                "Invalid LocalPort '%s' on Match line".formatted(argument), e);
          }
        }
        default -> throw new ConfigException("Unsupported Match attribute " + words.get(i));
      }
      criteria.add(new Criterion(attribute, argument));
      i++;
    }
    if (criteria.isEmpty()) {
      throw new ConfigException("One or more attributes required for Match");
    }
    return new MatchCriteria(criteria);
  }

  /** Parted by spaces or one '=', with double quotes; a word that begins with # ends the line. */
  private static List<String> words(String text) throws ConfigException {
    var words = new ArrayList<String>();
    int i = 0;
    while (i < text.length()) {
      if (isSpace(text.charAt(i))) {
        i++;
        continue;
      }
      if (text.charAt(i) == '#') {
        break;
      }
      int start = i;
      if (text.charAt(i) == '"') {
        int close = text.indexOf('"', i + 1);
        if (close < 0) {
          throw new ConfigException("Missing Match criteria: a quote is not closed");
        }
        words.add(text.substring(start + 1, close));
        i = close + 1;
      } else {
        while (i < text.length() && !isSpace(text.charAt(i)) && "=\"".indexOf(text.charAt(i)) < 0) {
          i++;
        }
        words.add(text.substring(start, i));
      }
      while (i < text.length() && isSpace(text.charAt(i))) {
        i++;
      }
      if (i < text.length() && text.charAt(i) == '=') {
        i++;
      }
    }
    return words;
  }

  private static boolean isSpace(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
  }

  boolean isAll() {
    return criteria.isEmpty();
  }

  boolean matches(ConnectionFacts facts) {
    return criteria.stream().allMatch(criterion -> matches(criterion, facts));
  }

  private static boolean matches(Criterion criterion, ConnectionFacts facts) {
    var argument = criterion.argument();
    return switch (criterion.attribute()) {
      case "user" -> listed(facts.user(), argument);
      case "group" -> facts.user() != null && matchesGroups(facts.groups(), argument);
      case "host" -> facts.host() != null && isMatch(Patterns.hosts(facts.host(), argument));
      case "address" ->
          facts.address() != null && isMatch(AddressList.verdict(facts.address(), argument));
      case "localaddress" ->
          facts.localAddress() != null
              && isMatch(AddressList.verdict(facts.localAddress(), argument));
      case "localport" -> facts.localPort() == Integer.parseInt(argument);
      case "rdomain" -> listed(facts.routingDomain(), argument);
      default -> throw new IllegalStateException(criterion.attribute());
    };
  }

  private static boolean listed(@Nullable String text, String patterns) {
    return text != null && isMatch(Patterns.list(text, patterns));
  }

  private static boolean isMatch(Patterns.Verdict verdict) {
    return verdict == Patterns.Verdict.MATCHED;
  }

  /** One group that is shut out shuts the user out, whatever the others say. */
  static boolean matchesGroups(List<String> groups, String patterns) {
    boolean found = false;
    for (var group : groups) {
      switch (Patterns.list(group, patterns)) {
        case EXCLUDED -> {
          return false;
        }
        case MATCHED -> found = true;
        case NOT_MATCHED -> {
          // Perhaps another one.
        }
      }
    }
    return found;
  }
}

package dev.adit.config;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Makes a list of algorithms out of a default and what was asked for: {@code +}, - and ^. */
public final class AlgorithmList {
  private AlgorithmList() {}

  /** The kind of list that a keyword sets, or null for other keywords. */
  static AlgorithmNames.@Nullable Kind kindOf(Keyword keyword) {
    for (var kind : AlgorithmNames.Kind.values()) {
      if (keywordOf(kind) == keyword) {
        return kind;
      }
    }
    return null;
  }

  static Keyword keywordOf(AlgorithmNames.Kind kind) {
    return switch (kind) {
      case CIPHER -> Keyword.CIPHERS;
      case MAC -> Keyword.MACS;
      case KEX -> Keyword.KEX_ALGORITHMS;
      case HOST_KEY -> Keyword.HOST_KEY_ALGORITHMS;
      case USER_KEY -> Keyword.PUBKEY_ACCEPTED_ALGORITHMS;
      case CA_SIGNATURE -> Keyword.CA_SIGNATURE_ALGORITHMS;
      case HOSTBASED -> Keyword.HOSTBASED_ACCEPTED_ALGORITHMS;
    };
  }

  /**
   * The names to offer, in order.
   *
   * @param spec what was asked for, not empty
   * @param notes gets a line for each name that OpenSSH has and we don't
   * @param keyword as it is named in what is told
   * @throws ConfigException when a name is nobody's, or nothing is left
   */
  public static List<String> assemble(
      String keyword,
      String spec,
      AlgorithmNames names,
      AlgorithmNames.Kind kind,
      List<String> notes)
      throws ConfigException {
    var defaults = names.defaults(kind);
    char modifier = spec.charAt(0);
    var list =
        switch (modifier) {
          case '-' -> {
            var patterns = spec.substring(1).split(",");
            yield defaults.stream()
                .filter(name -> Patterns.anyOf(name, patterns) != Patterns.Verdict.MATCHED)
                .toList();
          }
          case '+' -> joined(defaults, named(keyword, spec.substring(1), names, kind, notes));
          case '^' -> joined(named(keyword, spec.substring(1), names, kind, notes), defaults);
          default -> named(keyword, spec, names, kind, notes);
        };
    if (list.isEmpty()) {
      throw new ConfigException("%s '%s' leaves nothing to offer".formatted(keyword, spec));
    }
    return list;
  }

  private static List<String> joined(List<String> first, List<String> second) {
    var both = new LinkedHashSet<>(first);
    both.addAll(second);
    return List.copyOf(both);
  }

  private static List<String> named(
      String keyword,
      String list,
      AlgorithmNames names,
      AlgorithmNames.Kind kind,
      List<String> notes)
      throws ConfigException {
    var supported = names.supported(kind);
    var chosen = new ArrayList<String>();
    for (var name : list.split(",", -1)) {
      if (takesWildcards(kind) && Patterns.hasWildcard(name)) {
        supported.stream()
            .filter(each -> Patterns.matches(each, name) && !chosen.contains(each))
            .forEach(chosen::add);
      } else if (supported.contains(name)) {
        if (!chosen.contains(name)) {
          chosen.add(name);
        }
      } else if (names.isKnownElsewhere(kind, name)) {
        notes.add("%s: %s is not implemented and is left out".formatted(keyword, name));
      } else {
        throw new ConfigException(
            switch (kind) {
              case CIPHER -> "Bad SSH2 cipher spec '%s'.".formatted(list);
              case MAC -> "Bad SSH2 MAC spec '%s'.".formatted(list);
              case KEX -> "Bad SSH2 KexAlgorithms '%s'.".formatted(list);
              default -> "Bad key types '%s'.".formatted(list);
            });
      }
    }
    return chosen;
  }

  private static boolean takesWildcards(AlgorithmNames.Kind kind) {
    return switch (kind) {
      case CIPHER, MAC, KEX -> false;
      default -> true;
    };
  }
}

package dev.adit.config;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The values met so far, while the command line and the files are read. One thread. */
public final class Settings {
  private final EnumMap<Keyword, Object> values = new EnumMap<>(Keyword.class);
  private final List<String> notes = new ArrayList<>();

  /** Takes a value unless an earlier one stands; gathers where the keyword gathers. */
  void add(Keyword keyword, Object value) {
    switch (keyword.gathering()) {
      case FIRST -> {
        if (!isShutOut(keyword)) {
          values.putIfAbsent(keyword, value);
        }
      }
      case EACH -> {
        var list = list(keyword);
        if (!list.contains(value)) {
          list.add(value);
        }
      }
      case WORDS -> {
        var list = list(keyword);
        for (var word : (List<?>) value) {
          if (word instanceof String text && text.startsWith("-")) {
            list.removeIf(old -> Patterns.matches((String) old, text.substring(1)));
          } else {
            list.add(word);
          }
        }
      }
    }
  }

  /**
   * ProxyCommand and ProxyJump compete: whichever comes first shuts the other out. As in ssh,
   * {@code ProxyJump none} lets a later ProxyCommand pass.
   */
  private boolean isShutOut(Keyword keyword) {
    return switch (keyword) {
      case PROXY_COMMAND ->
          values.get(Keyword.PROXY_JUMP) instanceof List<?> hops && !hops.isEmpty();
      case PROXY_JUMP -> values.containsKey(Keyword.PROXY_COMMAND);
      default -> false;
    };
  }

  /** Takes a value whatever stood before, as some flags do. */
  void override(Keyword keyword, Object value) {
    values.put(keyword, value);
  }

  void remove(Keyword keyword) {
    values.remove(keyword);
  }

  boolean has(Keyword keyword) {
    return values.containsKey(keyword);
  }

  @Nullable Object get(Keyword keyword) {
    return values.get(keyword);
  }

  @Nullable String text(Keyword keyword) {
    return (String) values.get(keyword);
  }

  private List<Object> list(Keyword keyword) {
    @SuppressWarnings("unchecked") // Keywords that gather have nothing but lists.
    var list = (List<Object>) values.computeIfAbsent(keyword, _ -> new ArrayList<>());
    return list;
  }

  void note(String note) {
    if (!notes.contains(note)) {
      notes.add(note);
    }
  }

  /** What to tell at {@code -v}, one line each. */
  List<String> notes() {
    return List.copyOf(notes);
  }

  Map<Keyword, Object> values() {
    return values;
  }
}

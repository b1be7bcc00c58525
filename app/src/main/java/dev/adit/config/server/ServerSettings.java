package dev.adit.config.server;

import dev.adit.config.ConfigException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The values met so far, while lines are read or Match blocks applied. One thread. */
final class ServerSettings {
  private final EnumMap<ServerKeyword, Object> values = new EnumMap<>(ServerKeyword.class);

  ServerSettings() {}

  ServerSettings(Map<ServerKeyword, Object> values) {
    this.values.putAll(values);
  }

  /**
   * Takes a value unless an earlier one stands; gathers where the keyword gathers.
   *
   * @throws ConfigException when a subsystem is defined twice
   */
  void add(ServerKeyword keyword, Object value) throws ConfigException {
    switch (keyword.gathering()) {
      case FIRST -> values.putIfAbsent(keyword, value);
      case EACH -> {
        var list = list(keyword);
        if (value instanceof Subsystem(var name, _)
            && list.stream().anyMatch(old -> ((Subsystem) old).name().equals(name))) {
          throw new ConfigException("Subsystem '%s' already defined.".formatted(name));
        }
        list.add(value);
      }
      case WORDS -> list(keyword).addAll((List<?>) value);
    }
  }

  private List<Object> list(ServerKeyword keyword) {
    @SuppressWarnings("unchecked") // Keywords that gather have nothing but lists.
    var list = (List<Object>) values.computeIfAbsent(keyword, _ -> new ArrayList<>());
    return list;
  }

  @Nullable Object get(ServerKeyword keyword) {
    return values.get(keyword);
  }

  Map<ServerKeyword, Object> values() {
    return values;
  }
}

package dev.adit.cli;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import joptsimple.OptionException;
import joptsimple.OptionParser;
import joptsimple.OptionSet;
import org.jspecify.annotations.Nullable;

/**
 * Flags as getopt(3) reads them: one letter each, clustered or not, arguments attached or not, up
 * to the first argument that is no flag.
 *
 * @param flags in the order in which they stand
 * @param rest what comes behind them, without a {@code --} before it
 */
record Getopt(List<Given> flags, List<String> rest) {

  /**
   * @param argument null for a flag that takes none
   */
  record Given(char letter, @Nullable String argument) {}

  /** A command line that can't be read; the message is getopt's. */
  static final class BadFlagException extends Exception {
    private static final long serialVersionUID = 1L;

    BadFlagException(String message) {
      super(message);
    }

    @Override
    public String getMessage() {
      return String.valueOf(super.getMessage());
    }
  }

  /**
   * @param letters all flags; true for those that take an argument
   */
  static Getopt read(Map<Character, Boolean> letters, List<String> args) throws BadFlagException {
    var parser = new OptionParser();
    parser.posixlyCorrect(true);
    letters.forEach(
        (letter, takesArgument) -> {
          var option = parser.accepts(letter.toString());
          if (takesArgument) {
            option.withRequiredArg();
          }
        });
    OptionSet found;
    try {
      found = parser.parse(args.toArray(String[]::new));
    } catch (OptionException e) {
      char letter = e.options().getFirst().charAt(0);
      throw new BadFlagException(
          (letters.containsKey(letter) ? "option requires an argument -- " : "unknown option -- ")
              + (Character.isISOControl(letter) ? '?' : letter));
    }
    var flags = new ArrayList<Given>();
    var arguments = new HashMap<Character, Iterator<?>>();
    for (var option : found.specs()) {
      char letter = option.options().getFirst().charAt(0);
      var next = arguments.computeIfAbsent(letter, _ -> found.valuesOf(option).iterator());
      flags.add(
          new Given(
              letter, Boolean.TRUE.equals(letters.get(letter)) ? (String) next.next() : null));
    }
    return new Getopt(flags, found.nonOptionArguments().stream().map(Object::toString).toList());
  }
}

package dev.adit.cli;

import org.jspecify.annotations.Nullable;

/**
 * The options of {@code adit explain}, which stand before the command line to explain. The help,
 * the manual page and the completions are written from this table.
 */
public enum ExplainOption {
  ASCII("--ascii", null, "Draw in ASCII, as where the locale is not UTF-8."),
  SVG("--svg", "file", "Write the picture to a file as SVG, for documents; - is standard output."),
  HERE("--here", "name", "Call this machine by that name."),
  HELP("--help", null, "Print this.");

  private final String text;
  private final @Nullable String argument;
  private final String description;

  ExplainOption(String text, @Nullable String argument, String description) {
    this.text = text;
    this.argument = argument;
    this.description = description;
  }

  /** The option of that spelling, or null. */
  public static @Nullable ExplainOption of(String text) {
    for (var option : values()) {
      if (option.text.equals(text)) {
        return option;
      }
    }
    return null;
  }

  /** As it is written, {@code --ascii}. */
  public String text() {
    return text;
  }

  /** What its argument is called, or null when it takes none. */
  public @Nullable String argument() {
    return argument;
  }

  public String description() {
    return description;
  }

  /** One line. */
  public static String usage() {
    return "usage: adit explain [--ascii] [--svg file] [--here name] any command line of adit\n";
  }

  /** What {@code adit explain --help} prints. */
  public static String help() {
    var help =
        new StringBuilder(usage())
            .append(
                """

                Draws what the command line would do: who listens where and for whom, who looks a
                name up, who connects to whom and when, and which legs are encrypted. Connects to
                nothing and looks nothing up.

                """);
    for (var option : values()) {
      help.append(
          "  %-14s%s\n"
              .formatted(
                  option.text + (option.argument == null ? "" : " " + option.argument),
                  option.description));
    }
    return help.append(
            """

            For example:
              adit explain -L 9001:yahoo.com:80 home
              adit explain --svg tunnel.svg -D 1080 home
            """)
        .toString();
  }
}

package dev.adit.gateway;

/** What strangers say, made safe for a log. */
final class LogText {
  private LogText() {}

  /** Control characters and what turns or hides text as {@code \\uNNNN}. */
  static String of(String text) {
    StringBuilder out = new StringBuilder();
    text.codePoints()
        .limit(GatewayLimits.MAX_SHOWN)
        .forEach(
            c -> {
              switch (Character.getType(c)) {
                case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SURROGATE ->
                    out.append("\\u%04x".formatted(c));
                default -> out.appendCodePoint(c);
              }
            });
    return out.toString();
  }

  static String of(Exception e) {
    return of(String.valueOf(e.getMessage()));
  }
}

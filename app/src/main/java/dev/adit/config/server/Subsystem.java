package dev.adit.config.server;

/**
 * A program that sessions may ask for by name.
 *
 * @param command a command line for a shell
 */
public record Subsystem(String name, String command) {
  @Override
  public String toString() {
    return name + " " + command;
  }
}

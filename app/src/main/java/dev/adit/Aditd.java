package dev.adit;

/** The gateway, {@code aditd}. */
public final class Aditd {
  private Aditd() {}

  static void main() {
    System.err.println("aditd: the gateway is not there yet");
    System.exit(255);
  }
}

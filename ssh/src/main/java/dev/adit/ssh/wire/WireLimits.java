package dev.adit.ssh.wire;

import dev.adit.ssh.Limit;

/** Bounds on what one message may hold, in one place. */
final class WireLimits {

  @Limit(
      bounds = "Extensions in one EXT_INFO",
      beyond = "disconnect",
      provenBy = "MessagesTest.countsHaveALimit")
  static final int MAX_EXTENSIONS = 1024;

  @Limit(
      bounds = "Questions in one USERAUTH_INFO_REQUEST, and answers to it",
      beyond = "disconnect",
      provenBy = "MessagesTest.countsHaveALimit")
  static final int MAX_PROMPTS = 100;

  private WireLimits() {}
}

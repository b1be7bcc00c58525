package dev.adit.gateway;

import dev.adit.ssh.Limit;

/** Bounds of the gateway that sshd_config doesn't set, in one place. */
final class GatewayLimits {

  @Limit(
      bounds = "A user's name: longer than any system's",
      unit = "characters",
      beyond = "nobody is found",
      provenBy = "AccountsTest.namesThatAreNoNamesFindNobody")
  static final int MAX_USER_NAME = 256;

  /** How long the system may take to find an account, in seconds: NSS may ask over the network. */
  static final int ACCOUNT_SECONDS = 10;

  @Limit(
      bounds = "What a log shows of a text of a client's",
      unit = "characters",
      beyond = "it is cut",
      provenBy = "AuditLogTest.textsOfStrangersAreCut")
  static final int MAX_SHOWN = 256;

  /** Lines of the log that wait for a slow disk; beyond that they are dropped. */
  static final int LOG_LINES = 8192;

  @Limit(
      bounds = "Lines of the audit log that wait for a slow disk",
      beyond = "they are dropped and counted",
      provenBy = "AuditLogTest.aDiskThatHangsStopsNobody")
  static final int AUDIT_LINES = 8192;

  @Limit(
      bounds = "A password that is compared with a bcrypt hash: bcrypt looks at no more",
      unit = "bytes",
      beyond = "refused, not cut",
      provenBy = "PasswordFileTest.whatBcryptWouldCutIsRefused")
  static final int MAX_PASSWORD = 72;

  private GatewayLimits() {}
}

package dev.adit.bench;

import dev.adit.bench.Scene.Setting;
import java.util.List;

/**
 * What can be asked for with {@code --rows}: one question, which may give several figures.
 *
 * @param key its name
 * @param what it tells, in a few words
 * @param setting where it is measured; neighbours in {@link #ALL} with the same one share a tunnel
 * @param yardstick the pair that ratios are to; always measured
 * @param quickPairs which are measured with {@code --quick}, if nobody chooses
 * @param fullPairs the same without
 * @param quickRounds rounds with {@code --quick}
 * @param fullRounds rounds without
 */
record Row(
    String key,
    String what,
    Setting setting,
    String yardstick,
    String quickPairs,
    String fullPairs,
    int quickRounds,
    int fullRounds,
    Measure measure) {

  /** How a row is measured once, for one pair. */
  interface Measure {
    void of(Scene scene) throws Exception;
  }

  private static final String OPENSSH = "ssh-sshd";
  private static final String MOST_IMPORTANT = "relay-relay,adit-aditd";
  private static final String OURS = MOST_IMPORTANT + ",adit-sshd,ssh-aditd";
  private static final String TUNNELS = OURS + ",mina-mina,mina-sshd,ssh-mina,jsch-sshd";

  /** Where a row takes long, the swapped ones of MINA are left out. */
  private static final String SOME_TUNNELS = OURS + ",mina-mina,jsch-sshd";

  private static final String FEW_TUNNELS = OURS + ",mina-mina";

  private static final Setting PLAIN = new Setting(Cipher.AES128_GCM, 0, false);
  private static final Setting FRESH = new Setting(Cipher.AES128_GCM, 0, true);

  /** In the order of the table. */
  static final List<Row> ALL =
      List.of(
          usual("ready", "from the client's start until its port is open", TunnelRows::ready),
          usual("bulk", "one stream, aes128-gcm, and its processor time", TunnelRows::bulk),
          usual("rtt", "64-byte round trip, idle", TunnelRows::roundTrip),
          usual(
              "rtt-load",
              "the same beside a stream of the same connection",
              TunnelRows::roundTripUnderLoad),
          usual("conns", "new connections a second", TunnelRows::connections),
          usual("memory", "resident memory after all that", TunnelRows::memoryAfterLoad),
          new Row(
              "first",
              "the first second of two fresh processes",
              FRESH,
              OPENSSH,
              OURS,
              SOME_TUNNELS,
              2,
              3,
              TunnelRows::firstSecond),
          heavy(
              "chacha",
              "as bulk, with chacha20-poly1305",
              new Setting(Cipher.CHACHA20, 0, false),
              SOME_TUNNELS,
              1,
              2,
              TunnelRows::bulk),
          heavy(
              "ctr",
              "as bulk, with aes128-ctr and hmac-sha2-256-etm",
              new Setting(Cipher.AES128_CTR, 0, false),
              SOME_TUNNELS,
              1,
              2,
              TunnelRows::bulk),
          heavy(
              "delay50",
              "bulk at 50 ms round trip",
              new Setting(Cipher.AES128_GCM, 50, false),
              OURS,
              1,
              2,
              TunnelRows::bulkFarAway),
          heavy(
              "delay100",
              "bulk at 100 ms round trip",
              new Setting(Cipher.AES128_GCM, 100, false),
              OURS,
              1,
              2,
              TunnelRows::bulkFarAway),
          heavy(
              "idle",
              "memory at rest, 1,000 to 10,000 idle connections, the cost of one more",
              FRESH,
              FEW_TUNNELS,
              1,
              1,
              IdleRows::idle),
          heavy(
              "cost",
              "processor time a byte, by size of transfer",
              PLAIN,
              OURS,
              1,
              1,
              TunnelRows::costOfSize),
          new Row(
              "logins",
              "connect and authenticate, by one warm client process",
              PLAIN,
              "jsch-mina",
              "jsch-sshd,adit-aditd",
              "jsch-sshd,adit-sshd,adit-aditd,mina-mina",
              1,
              2,
              LoginRows::logins),
          new Row(
              "sessions",
              "200 client connections to one server, 50 forwarded connections each (--quick: 40,"
                  + " 25)",
              FRESH,
              OPENSSH,
              "ssh-aditd,adit-aditd",
              "ssh-aditd,adit-aditd,adit-sshd",
              1,
              1,
              SessionRows::sessions));

  private static Row usual(String key, String what, Measure measure) {
    return new Row(key, what, PLAIN, OPENSSH, OURS, TUNNELS, 2, 3, measure);
  }

  private static Row heavy(
      String key,
      String what,
      Setting setting,
      String fullPairs,
      int quick,
      int full,
      Measure measure) {
    return new Row(key, what, setting, OPENSSH, MOST_IMPORTANT, fullPairs, quick, full, measure);
  }

  /** Whether it is measured on the same scene, pair by pair and round by round. */
  boolean isNeighbourOf(Row other) {
    return setting.equals(other.setting)
        && yardstick.equals(other.yardstick)
        && quickPairs.equals(other.quickPairs)
        && fullPairs.equals(other.fullPairs)
        && quickRounds == other.quickRounds
        && fullRounds == other.fullRounds;
  }

  int rounds(boolean quick) {
    return quick ? quickRounds : fullRounds;
  }

  /** Names of pairs, separated by commas. */
  String pairs(boolean quick) {
    return quick ? quickPairs : fullPairs;
  }
}

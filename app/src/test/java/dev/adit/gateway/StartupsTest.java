package dev.adit.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.adit.config.StandardAlgorithms;
import dev.adit.config.server.ServerConfig;
import dev.adit.config.server.ServerConfigReader;
import dev.adit.ssh.Peer;
import dev.adit.ssh.ServerEvent;
import dev.adit.ssh.SshException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** MaxStartups, PerSourceMaxStartups and PerSourcePenalties, with time by hand. */
class StartupsTest {
  private long now = 1000;
  private long connections;

  private static ServerConfig config(String... options) throws Exception {
    var reader = new ServerConfigReader(new StandardAlgorithms());
    for (var option : options) {
      reader.option(option);
    }
    return reader.build();
  }

  private Startups startups(String... options) throws Exception {
    return new Startups(config(options), () -> Instant.ofEpochSecond(now), new Random(1));
  }

  private Peer from(String address) throws Exception {
    return new Peer(
        ++connections,
        new InetSocketAddress(InetAddress.getByName(address), 50_000),
        new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 22));
  }

  private static void failLogin(Startups startups, Peer peer) {
    startups.event(new ServerEvent.LoginFailed(peer, "ada", true, "password", null, "wrong"));
  }

  private static void leave(Startups startups, Peer peer, String why) {
    startups.event(
        new ServerEvent.Disconnected(
            peer, null, new SshException.Disconnected(true, 0, why, null)));
  }

  @Test
  void fullMeansNobodyMore() throws Exception {
    var startups = startups("MaxStartups=3", "PerSourcePenalties=no");
    var first = from("192.0.2.1");
    assertThat(startups.refusal(first)).isNull();
    assertThat(startups.refusal(from("192.0.2.2"))).isNull();
    assertThat(startups.refusal(from("192.0.2.3"))).isNull();
    assertThat(startups.refusal(from("192.0.2.4"))).isEqualTo("past MaxStartups");
    startups.event(new ServerEvent.LoggedIn(first, "ada", List.of("publickey"), null));
    assertThat(startups.refusal(from("192.0.2.4"))).isNull();
    assertThat(startups.count()).isEqualTo(3);
  }

  @Test
  void betweenBeginAndFullTheChanceGrows() throws Exception {
    var startups = startups("MaxStartups=10:30:110", "PerSourcePenalties=no");
    for (int i = 0; i < 10; i++) {
      assertThat(startups.refusal(from("192.0.2.1"))).isNull();
    }
    assertThat(droppedOfThousand(startups)).isBetween(250, 350);
    while (startups.count() < 60) {
      startups.refusal(from("192.0.2.1"));
    }
    // Half way, so half of what 30 % leave is added.
    assertThat(droppedOfThousand(startups)).isBetween(600, 700);
    while (startups.count() < 110) {
      startups.refusal(from("192.0.2.1"));
    }
    assertThat(startups.refusal(from("192.0.2.1"))).isNotNull();
  }

  private int droppedOfThousand(Startups startups) throws Exception {
    int dropped = 0;
    for (int i = 0; i < 1000; i++) {
      var peer = from("192.0.2.1");
      if (startups.refusal(peer) != null) {
        dropped++;
      } else {
        leave(startups, peer, "gone");
      }
    }
    return dropped;
  }

  @Test
  void oneSourceLeavesRoomForOthers() throws Exception {
    var startups =
        startups("PerSourceMaxStartups=2", "PerSourceNetBlockSize=24:64", "PerSourcePenalties=no");
    var first = from("192.0.2.1");
    assertThat(startups.refusal(first)).isNull();
    assertThat(startups.refusal(from("192.0.2.2"))).isNull();
    assertThat(startups.refusal(from("192.0.2.3"))).isEqualTo("past MaxStartups");
    assertThat(startups.refusal(from("192.0.3.1"))).isNull();
    assertThat(startups.refusal(from("2001:db8::1"))).isNull();
    assertThat(startups.refusal(from("2001:db8::2"))).isNull();
    assertThat(startups.refusal(from("2001:db8::3"))).isNotNull();
    leave(startups, first, "gone");
    assertThat(startups.refusal(from("192.0.2.3"))).isNull();
  }

  @Test
  void failedLoginsAddUpToAPenalty() throws Exception {
    var startups = startups();
    for (int i = 0; i < 4; i++) {
      var peer = from("192.0.2.1");
      assertThat(startups.refusal(peer)).as("attempt %d", i).isNull();
      failLogin(startups, peer);
      failLogin(startups, peer);
      leave(startups, peer, "gone");
    }
    // 4 times 5 s: past the least of 15 s.
    assertThat(startups.refusal(from("192.0.2.1"))).isEqualTo("penalty: failed authentication");
    assertThat(startups.refusal(from("192.0.2.2"))).isNull();
    now += 19;
    assertThat(startups.refusal(from("192.0.2.1"))).isNotNull();
    now += 1;
    assertThat(startups.refusal(from("192.0.2.1"))).isNull();
  }

  @Test
  void aLoginIsNoOffence() throws Exception {
    var startups = startups("PerSourcePenalties=min:0 authfail:10m");
    var peer = from("192.0.2.1");
    assertThat(startups.refusal(peer)).isNull();
    failLogin(startups, peer);
    startups.event(new ServerEvent.LoggedIn(peer, "ada", List.of("publickey"), null));
    leave(startups, peer, "gone");
    assertThat(startups.refusal(from("192.0.2.1"))).isNull();
  }

  @Test
  void eachOffenceHasItsPrice() throws Exception {
    var startups =
        startups(
            "PerSourcePenalties=min:0 noauth:3 grace-exceeded:7 refuseconnection:5 crash:6 max:8");
    var idle = from("192.0.2.1");
    startups.refusal(idle);
    leave(startups, idle, "gone");
    assertThat(startups.refusal(from("192.0.2.1")))
        .isEqualTo("penalty: connections without attempting authentication");
    var slow = from("192.0.2.2");
    startups.refusal(slow);
    leave(startups, slow, "Timeout before authentication for 192.0.2.2 port 50000");
    assertThat(startups.refusal(from("192.0.2.2"))).isEqualTo("penalty: exceeded LoginGraceTime");
    var unwanted = from("192.0.2.3");
    startups.refusal(unwanted);
    leave(startups, unwanted, GatewayLogin.PROHIBITED);
    var deadly = from("192.0.2.4");
    startups.refusal(deadly);
    leave(startups, deadly, "internal error: a defect");
    now += 3;
    assertThat(startups.refusal(from("192.0.2.1"))).isNull();
    assertThat(startups.refusal(from("192.0.2.2"))).isNotNull();
    assertThat(startups.refusal(from("192.0.2.3"))).isNotNull();
    now += 2;
    assertThat(startups.refusal(from("192.0.2.3"))).isNull();
    assertThat(startups.refusal(from("192.0.2.4"))).isNotNull();
    now += 1;
    assertThat(startups.refusal(from("192.0.2.4"))).isNull();
  }

  @Test
  void aPenaltyHasItsEnd() throws Exception {
    var startups = startups("PerSourcePenalties=min:0 noauth:3 max:8");
    var peer = from("192.0.2.1");
    startups.refusal(peer);
    var again = from("192.0.2.1");
    startups.refusal(again);
    var last = from("192.0.2.1");
    startups.refusal(last);
    for (var offender : List.of(peer, again, last)) {
      leave(startups, offender, "gone");
    }
    now += 7;
    assertThat(startups.refusal(from("192.0.2.1"))).isNotNull();
    now += 1;
    assertThat(startups.refusal(from("192.0.2.1"))).isNull();
  }

  @Test
  void exemptSourcesAndNoPenaltiesAtAll() throws Exception {
    for (var option : List.of("PerSourcePenaltyExemptList=192.0.2.0/24", "PerSourcePenalties=no")) {
      var startups = startups("PerSourcePenalties=min:0", option);
      if (option.endsWith("no")) {
        startups = startups(option);
      }
      var peer = from("192.0.2.1");
      startups.refusal(peer);
      leave(startups, peer, "gone");
      assertThat(startups.refusal(from("192.0.2.1"))).as(option).isNull();
    }
  }

  @Test
  void theTableOfOffendersIsBounded() throws Exception {
    for (boolean deniesAll : new boolean[] {false, true}) {
      var mode = deniesAll ? "deny-all" : "permissive";
      var startups = startups("PerSourcePenalties=min:0 noauth:10 max-sources4:2 overflow:" + mode);
      for (int i = 1; i <= 2; i++) {
        var peer = from("192.0.2." + i);
        assertThat(startups.refusal(peer)).isNull();
        leave(startups, peer, "gone");
        now++;
      }
      assertThat(startups.refusal(from("192.0.2.1"))).isNotNull();
      var third = from("192.0.2.3");
      assertThat(startups.refusal(third) == null).as(mode).isEqualTo(!deniesAll);
      if (!deniesAll) {
        leave(startups, third, "gone");
        // The one that would have been let in first made room.
        assertThat(startups.refusal(from("192.0.2.1"))).isNull();
        assertThat(startups.refusal(from("192.0.2.2"))).isNotNull();
        assertThat(startups.refusal(from("192.0.2.3"))).isNotNull();
      }
      now += 60;
    }
  }

  @Test
  void penaltiesAreForgivenWhenTheirRulesChangeAndOnlyThen() throws Exception {
    var startups = startups("PerSourcePenalties=min:0 noauth:9");
    var idle = from("192.0.2.1");
    startups.refusal(idle);
    leave(startups, idle, "gone");
    startups.configure(config("PerSourcePenalties=min:0 noauth:9", "MaxStartups=9"));
    assertThat(startups.refusal(from("192.0.2.1"))).isNotNull();
    startups.configure(config("PerSourcePenalties=min:0 noauth:8"));
    assertThat(startups.refusal(from("192.0.2.1"))).isNull();
  }

  @Test
  void newRulesHoldAtOnce() throws Exception {
    var startups = startups("MaxStartups=1", "PerSourcePenalties=no");
    assertThat(startups.refusal(from("192.0.2.1"))).isNull();
    assertThat(startups.refusal(from("192.0.2.1"))).isNotNull();
    startups.configure(config("MaxStartups=2", "PerSourcePenalties=no"));
    assertThat(startups.refusal(from("192.0.2.1"))).isNull();
  }
}

package dev.adit.bench.peer;

import com.jcraft.jsch.JSch;
import com.jcraft.jsch.JSchException;
import com.jcraft.jsch.Session;

/** JSch with one local forward. Arguments: {@link ClientArguments}. */
public final class JschClient {
  private static final int PATIENCE_MILLIS = 20_000;

  private JschClient() {}

  public static void main(String[] args) throws Exception {
    var given = ClientArguments.of(args);
    var jsch = new JSch();
    jsch.addIdentity(given.key().toString());
    Session session = session(jsch, given.user(), given.serverPort());
    for (String direction : new String[] {"c2s", "s2c"}) {
      session.setConfig("cipher." + direction, given.cipher());
      session.setConfig("mac." + direction, given.mac());
    }
    connect(session);
    session.setPortForwardingL("127.0.0.1", given.listenPort(), "127.0.0.1", given.targetPort());
    Thread.currentThread().join();
  }

  /** Not connected yet. */
  static Session session(JSch jsch, String user, int port) throws JSchException {
    Session session = jsch.getSession(user, "127.0.0.1", port);
    session.setConfig("StrictHostKeyChecking", "no");
    return session;
  }

  static void connect(Session session) throws JSchException {
    session.connect(PATIENCE_MILLIS);
  }
}

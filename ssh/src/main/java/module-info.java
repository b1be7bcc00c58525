/** adit's SSH library: everything that a user of it touches is in {@code dev.adit.ssh}. */
module dev.adit.ssh {
  requires static transitive org.jspecify;
  requires io.netty.buffer;
  requires io.netty.codec;
  requires io.netty.codec.http;
  requires io.netty.codec.socks;
  requires io.netty.common;
  requires io.netty.handler;
  requires io.netty.transport;
  requires io.netty.transport.classes.epoll;
  requires io.netty.transport.unix.common;
  requires org.bouncycastle.provider;
  requires org.slf4j;

  exports dev.adit.ssh;

  // The build's rehearsal of a start (dev.adit.Training), and nothing that runs later.
  exports dev.adit.ssh.training to
      dev.adit;

  // The judges and the benchmarks may look inside; nobody else may.
  exports dev.adit.ssh.wire to
      dev.adit.interop,
      dev.adit.bench;
  exports dev.adit.ssh.crypto to
      dev.adit.interop,
      dev.adit.bench;
  // The gateway's accounts read the same files as the library: authorized_keys, revocation lists.
  exports dev.adit.ssh.keys to
      dev.adit,
      dev.adit.interop,
      dev.adit.bench;
  // The client puts its terminal into the state that it asks the server for.
  exports dev.adit.ssh.session to
      dev.adit;
}

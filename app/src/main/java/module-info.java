/** The programs: adit, the client, and aditd, the gateway. */
module dev.adit {
  requires static org.jspecify;
  requires ch.qos.logback.classic;
  requires ch.qos.logback.core;
  requires dev.adit.ssh;
  requires io.netty.common;
  requires java.xml;
  requires jdk.httpserver;
  requires jdk.unsupported;
  requires java.logging;
  requires jopt.simple;
  requires org.bouncycastle.provider;
  requires org.slf4j;

  provides ch.qos.logback.classic.spi.Configurator with
      dev.adit.client.NoLogFiles;
}

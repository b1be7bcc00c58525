package dev.adit.explain;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.net.spi.InetAddressResolver;
import java.net.spi.InetAddressResolverProvider;
import java.util.stream.Stream;

/** A resolver that complains when it is asked for a name. Java loads it before the first one. */
public final class NoNames extends InetAddressResolverProvider implements InetAddressResolver {
  static final String COMPLAINT = "somebody looks up ";

  @Override
  public InetAddressResolver get(Configuration configuration) {
    return this;
  }

  @Override
  public String name() {
    return "nobody";
  }

  @Override
  public Stream<InetAddress> lookupByName(String host, LookupPolicy policy)
      throws UnknownHostException {
    System.out.println(COMPLAINT + host);
    throw new UnknownHostException(host);
  }

  @Override
  public String lookupByAddress(byte[] address) throws UnknownHostException {
    System.out.println(COMPLAINT + "an address");
    throw new UnknownHostException();
  }
}

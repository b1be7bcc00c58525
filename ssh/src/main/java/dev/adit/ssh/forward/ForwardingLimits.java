package dev.adit.ssh.forward;

import dev.adit.ssh.Limit;
import java.time.Duration;

/**
 * Bounds of the forwardings that are the same everywhere, in one place; {@link
 * dev.adit.ssh.ForwardLimits} has those that a server sets.
 */
final class ForwardingLimits {

  @Limit(
      bounds = "What is read from a local socket before others get a turn",
      unit = "bytes",
      beyond = "the rest is read in the next turn",
      provenBy = "TransportLimitsTest.aReadBurstEnds")
  static final int READ_BURST = 256 * 1024;

  @Limit(
      bounds =
          "What one read takes of a local socket before its channel is open: epoll "
              + "reads unasked when the other end has ended, as much as the kernel has",
      unit = "bytes",
      beyond = "it is two reads",
      provenBy = "RelayTest.beforeItsChannelIsOpenASocketIsReadInPieces")
  static final int EARLY_READ = 32 * 1024;

  @Limit(
      bounds =
          "Smaller payloads are copied together, so that a few bytes don't keep a "
              + "large read buffer alive, and a window full of single bytes doesn't cost an "
              + "object for each",
      unit = "bytes",
      beyond = "the payload waits where it was read",
      provenBy = "RelayTest.windowOfSingleBytesCostsNoObjectForEach")
  static final int COPY_BELOW = 16 * 1024;

  /** What is copied together goes to the socket in pieces of this size, in bytes. */
  static final int GATHERED = 64 * 1024;

  /** Room for what is copied together to begin with: mostly it is a keystroke's echo. */
  static final int GATHERED_AT_FIRST = 1024;

  @Limit(
      bounds =
          "What may wait for a local socket before everything for it is copied: more "
              + "than one turn of the loop brings, or else most of every burst would be",
      unit = "bytes",
      beyond = "payloads are copied together whatever their size",
      provenBy = "RelayTest.payloadsForASocketThatLagsAreCopied")
  static final int LAGS_ABOVE = 1024 * 1024;

  @Limit(
      bounds = "What may wait for it when that ends",
      unit = "bytes",
      beyond = "copying goes on",
      provenBy = "RelayTest.payloadsForASocketThatLagsAreCopied")
  static final int LAGS_NO_MORE = 256 * 1024;

  @Limit(
      bounds =
          "How long an application may take to finish its side once the channel is "
              + "closed and all that came is written",
      unit = "seconds",
      beyond = "its socket is closed",
      provenBy = "RelayTest.anApplicationThatNeverEndsIsClosed")
  static final int LINGER_SECONDS = 5;

  @Limit(
      bounds = "How long a client takes to connect to one address of a target of -R",
      beyond = "the next address, then the connection is refused",
      provenBy = "ServerForwardingTest.targetThatDoesNotAnswerIsGivenUp")
  static final Duration CONNECT_PATIENCE = Duration.ofSeconds(30);

  @Limit(
      bounds =
          "How long the name of a target of -R, or of an address to listen on, may "
              + "take to be found",
      beyond = "refused",
      provenBy = "AdversityTest.aResolverThatHangsDelaysOnlyItsOwnConnection")
  static final Duration RESOLVER_PATIENCE = Duration.ofSeconds(10);

  @Limit(
      bounds = "How long a client of -D takes to ask for its target",
      unit = "seconds",
      beyond = "its connection is closed",
      provenBy = "ProxyFrontTest.clientThatNeverAsksIsEndedByTheDeadline")
  static final int REQUEST_SECONDS = 30;

  @Limit(
      bounds =
          "Name of a host that is asked for by SOCKS, HTTP or a channel; a name of "
              + "the DNS has 253 at most",
      unit = "bytes",
      beyond = "refused",
      provenBy = {
        "ProxyFrontTest.namesOf255BytesAreTaken",
        "ServerForwardingTest.nonsenseIsNotLookedUp"
      })
  static final int MAX_HOST = 255;

  @Limit(
      bounds = "Head of a request to the HTTP proxy of -D",
      unit = "bytes",
      beyond = "answered with 431",
      provenBy = "ProxyFrontTest.endlessRequestsAreCutOff")
  static final int MAX_HTTP_HEAD = 64 * 1024;

  @Limit(
      bounds = "First line of such a request",
      unit = "bytes",
      beyond = "answered with 414",
      provenBy = "ProxyFrontTest.endlessRequestsAreCutOff")
  static final int MAX_HTTP_LINE = 32 * 1024;

  @Limit(
      bounds = "Connections of a remote forwarding whose target a client is connecting to",
      beyond = "refused",
      provenBy = "RemoteForwardsTest.connectsThatAreBeingMadeAreLimited")
  static final int MAX_PENDING_CONNECTS = 1024;

  @Limit(
      bounds =
          "Requests for remote forwardings that wait for their turn; those that want "
              + "no reply are not counted elsewhere",
      beyond = "refused",
      provenBy = "ServerForwardingTest.requestsThatWaitAreLimited")
  static final int MAX_WAITING_REQUESTS = 1024;

  @Limit(
      bounds = "Address to listen on that a client asks for",
      unit = "bytes",
      beyond = "refused",
      provenBy = "ServerForwardingTest.anAddressToListenOnIsNoNovel")
  static final int MAX_BIND_ADDRESS = 255;

  @Limit(
      bounds = "Path of a Unix socket: what a sockaddr_un holds on Linux",
      unit = "bytes",
      beyond = "refused",
      provenBy = "ServerForwardingTest.nonsenseIsNotLookedUp")
  static final int MAX_SOCKET_PATH = 107;

  /** Attempts to find a port that is free for both families; no peer has a say in it. */
  static final int ANY_PORT_ATTEMPTS = 16;

  @Limit(
      bounds =
          "How long an older connection of the same user and key may take to show "
              + "that it lives before its listener goes to a newer one",
      beyond = "the newer one gets the port",
      provenBy = {
        "ServerForwardingTest.clientThatComesBackGetsThePortOfItsDeadConnection",
        "ServerForwardingTest.liveClientsDoNotStealFromEachOther"
      })
  static final Duration TAKEOVER_PATIENCE = Duration.ofSeconds(2);

  @Limit(
      bounds = "opensPerSecond of so many seconds may come at once",
      unit = "seconds",
      beyond = "the next ones wait",
      provenBy = "ServerForwardingTest.connectionsThatComeTooFastWait")
  static final int BURST_SECONDS = 10;

  @Limit(
      bounds = "Addresses of one name that are looked at",
      beyond = "the others are not dialled",
      provenBy = "ServerForwardingTest.onlySoManyAddressesOfANameAreLookedAt")
  static final int MAX_ADDRESSES = 32;

  @Limit(
      bounds = "Names that a server looks up at once, for all clients",
      beyond = "the next ones wait",
      provenBy = "ServerForwardingTest.hangingNamesAreTheirOwnConnectionsTrouble")
  static final int LOOKUP_THREADS = 128;

  @Limit(
      bounds = "Names that it looks up at once for one client",
      beyond = "the next ones wait",
      provenBy = "ServerForwardingTest.hangingNamesAreTheirOwnConnectionsTrouble")
  static final int LOOKUP_THREADS_A_CONNECTION = 8;

  @Limit(
      bounds = "Names that wait for one of these threads, for all clients",
      beyond = "refused",
      provenBy = "ServerForwardingTest.namesThatWaitForAThreadAreLimited")
  static final int MAX_WAITING_LOOKUPS = 4096;

  @Limit(
      bounds = "What a log shows of a peer's text",
      unit = "characters",
      beyond = "it is cut",
      provenBy = "ServerForwardingTest.whatAClientSaysIsShownShortAndEscaped")
  static final int MAX_SHOWN = 255;

  private ForwardingLimits() {}
}

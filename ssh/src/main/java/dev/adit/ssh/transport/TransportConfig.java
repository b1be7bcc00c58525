package dev.adit.ssh.transport;

import java.time.Duration;
import java.util.List;

/**
 * What one side brings to the negotiation and how patient it is. Lists are algorithm names, best
 * first.
 *
 * @param identification our line of RFC 4253 section 4.2, without CR LF
 * @param hostKeyAlgorithms signature algorithms for the host key that we accept (or have)
 * @param compression {@code none} and {@code zlib@openssh.com}, in the order of preference
 * @param allowNonStrict whether chacha20-poly1305 and encrypt-then-MAC are used with a peer that
 *     lacks strict key exchange, and so is open to CVE-2023-48795
 * @param rekeyBytes bytes either way under one key, 0 for what the cipher allows (RFC 4344)
 * @param rekeyInterval time under one key, zero for no limit
 * @param identificationTimeout for the peer's identification, zero for that of the handshake
 * @param handshakeTimeout for each key exchange, not counting the time that a person takes to judge
 *     the host key; zero for no limit
 * @param minimumRsaBits RSA host keys that are shorter are refused
 */
public record TransportConfig(
    String identification,
    List<String> kexAlgorithms,
    List<String> hostKeyAlgorithms,
    List<String> ciphers,
    List<String> macs,
    List<String> compression,
    boolean allowNonStrict,
    long rekeyBytes,
    Duration rekeyInterval,
    Duration identificationTimeout,
    Duration handshakeTimeout,
    int minimumRsaBits) {}

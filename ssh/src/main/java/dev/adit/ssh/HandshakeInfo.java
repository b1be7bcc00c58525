package dev.adit.ssh;

import org.jspecify.annotations.Nullable;

/**
 * What a key exchange agreed on, by the names of the algorithms.
 *
 * @param peerIdentification the other side's line (RFC 4253 section 4.2), escaped
 * @param mac null where the ciphers authenticate by themselves
 * @param postQuantum whether what is recorded today stays secret when large quantum computers come
 * @param strict whether the handshake is safe against insertion and deletion (CVE-2023-48795)
 * @param first false for the key exchanges that follow in the same connection
 */
public record HandshakeInfo(
    String peerIdentification,
    String kex,
    String hostKeyAlgorithm,
    String cipherToServer,
    String cipherToClient,
    @Nullable String macToServer,
    @Nullable String macToClient,
    String compression,
    boolean postQuantum,
    boolean strict,
    boolean first) {}

/**
 * Identification, negotiation, key exchange, rekey, and packets on and off the carrier (RFC 4253).
 *
 * <p>Two lanes meet here. The control lane is straight-line code on a virtual thread: {@link
 * dev.adit.ssh.transport.Transport#expect} and {@link dev.adit.ssh.transport.Transport#send}. The
 * data lane is the carrier's event loop: {@link dev.adit.ssh.transport.PacketDecoder} and {@link
 * dev.adit.ssh.transport.PacketEncoder} live on it and are touched by no other thread.
 */
@NullMarked
package dev.adit.ssh.transport;

import org.jspecify.annotations.NullMarked;

/**
 * Local, remote and dynamic forwarding: listeners, the SOCKS and HTTP CONNECT front, and the {@link
 * dev.adit.ssh.forward.Relay} between a socket and a channel. On the connection's event loop.
 */
@NullMarked
package dev.adit.ssh.forward;

import org.jspecify.annotations.NullMarked;

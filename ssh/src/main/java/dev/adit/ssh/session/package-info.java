/**
 * Sessions (RFC 4254 section 6): exec, shell, subsystem, pty and signals, on both sides.
 *
 * <p>At the client {@link dev.adit.ssh.session.ClientSession} stands at the end of the channel, on
 * the event loop; {@link dev.adit.ssh.session.Inbox} and {@link dev.adit.ssh.session.Outbox} are
 * where the threads of whoever uses the session meet it. At the server {@link
 * dev.adit.ssh.session.ServerSessions} starts programs, and a {@code ServerSession} moves bytes
 * between their pipes or terminal and the channel on the event loop alone.
 */
@NullMarked
package dev.adit.ssh.session;

import org.jspecify.annotations.NullMarked;

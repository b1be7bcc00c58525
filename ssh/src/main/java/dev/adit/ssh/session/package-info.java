/**
 * Sessions (RFC 4254 section 6) on the client's side: exec, shell, subsystem, pty, signals and
 * agent forwarding. {@link dev.adit.ssh.session.ClientSession} stands at our end of the channel, on
 * the event loop; {@link dev.adit.ssh.session.Inbox} and {@link dev.adit.ssh.session.Outbox} are
 * where the threads of whoever uses the session meet it.
 */
@NullMarked
package dev.adit.ssh.session;

import org.jspecify.annotations.NullMarked;

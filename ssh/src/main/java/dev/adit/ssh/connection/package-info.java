/**
 * Channels, windows, turns and global requests (RFC 4254). All of it lives on the connection's
 * event loop; nothing here is thread-safe and nothing needs a lock.
 */
@NullMarked
package dev.adit.ssh.connection;

import org.jspecify.annotations.NullMarked;

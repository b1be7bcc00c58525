package dev.adit.ssh.auth;

import dev.adit.ssh.transport.Transport;

/**
 * The proof that a user is logged in over a transport. Whatever needs a login takes one of these,
 * so that forwarding before login doesn't compile.
 *
 * @param method the method that led in, for example {@code publickey}
 */
public record Authenticated(Transport transport, String user, String method) {}

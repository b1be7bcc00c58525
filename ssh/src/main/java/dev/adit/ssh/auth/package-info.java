/**
 * User authentication (RFC 4252, RFC 4256), on the control lane; yields an {@link Authenticated}.
 */
@NullMarked
package dev.adit.ssh.auth;

import org.jspecify.annotations.NullMarked;

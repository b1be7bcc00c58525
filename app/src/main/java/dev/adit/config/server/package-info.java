/** sshd_config(5) as parsed values: what a server is told, for all connections and for one. */
@NullMarked
package dev.adit.config.server;

import org.jspecify.annotations.NullMarked;

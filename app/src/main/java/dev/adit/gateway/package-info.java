/** The gateway's program: it listens, admits, logs, and ends. */
@NullMarked
package dev.adit.gateway;

import org.jspecify.annotations.NullMarked;

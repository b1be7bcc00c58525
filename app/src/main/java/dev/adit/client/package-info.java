/** The client's run: from options to a connection, its forwardings and its session. */
@NullMarked
package dev.adit.client;

import org.jspecify.annotations.NullMarked;

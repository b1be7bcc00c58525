/** {@code adit demo}: a gateway, a client, two web sites and three tunnels on one machine. */
@NullMarked
package dev.adit.demo;

import org.jspecify.annotations.NullMarked;

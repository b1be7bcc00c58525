/** Programs that the benchmark starts as processes of their own: peers, relays, load. */
@NullMarked
package dev.adit.bench.peer;

import org.jspecify.annotations.NullMarked;

/** Side-by-side measurements of tunnels, with other people's programs as the yardstick. */
@NullMarked
package dev.adit.bench;

import org.jspecify.annotations.NullMarked;

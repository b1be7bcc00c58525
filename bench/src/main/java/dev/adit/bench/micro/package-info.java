/** JMH benchmarks of single parts; those of a room's inside stand in a package of its name. */
@NullMarked
package dev.adit.bench.micro;

import org.jspecify.annotations.NullMarked;

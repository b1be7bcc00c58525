@NullMarked
package dev.adit.ssh;

import org.jspecify.annotations.NullMarked;

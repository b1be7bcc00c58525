@NullMarked
package dev.adit.cli;

import org.jspecify.annotations.NullMarked;

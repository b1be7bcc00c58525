@NullMarked
package dev.adit;

import org.jspecify.annotations.NullMarked;

@NullMarked
package dev.adit.config;

import org.jspecify.annotations.NullMarked;

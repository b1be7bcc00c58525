@NullMarked
package dev.adit.ssh.keys;

import org.jspecify.annotations.NullMarked;

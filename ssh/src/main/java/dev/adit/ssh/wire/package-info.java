@NullMarked
package dev.adit.ssh.wire;

import org.jspecify.annotations.NullMarked;

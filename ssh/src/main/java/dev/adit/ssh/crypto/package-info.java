@NullMarked
package dev.adit.ssh.crypto;

import org.jspecify.annotations.NullMarked;

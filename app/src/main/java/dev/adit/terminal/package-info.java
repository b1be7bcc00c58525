/**
 * The terminal that the client runs on: raw mode, size and settings, standard input that can be
 * left alone, the escapes after a new line, and questions to the user. The system calls are in
 * {@link dev.adit.terminal.Libc}, for Linux and macOS.
 */
@NullMarked
package dev.adit.terminal;

import org.jspecify.annotations.NullMarked;

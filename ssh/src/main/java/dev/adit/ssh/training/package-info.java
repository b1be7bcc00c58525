/** What the build needs to rehearse a start of the client; nothing of it runs in a program. */
@org.jspecify.annotations.NullMarked
package dev.adit.ssh.training;

package dev.adit.gateway;

import dev.adit.ssh.keys.KeyOptions;

/**
 * What one proof allows. A login may have several: a certificate, the line of its authority and
 * that of its principal; a key and then another key. Each must allow what is asked.
 *
 * @param whose as refusals name it: {@code the key}, {@code the certificate}
 */
record Limits(String whose, KeyOptions options) {}

package dev.adit.ssh.keys;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What is said about host keys, word by word as ssh says it: people and programs know it. */
final class HostKeyMessages {
  private static final String RULE = "@".repeat(59);

  /** As many other names of a key are listed. */
  private static final int MAX_OTHER_NAMES = 8;

  private HostKeyMessages() {}

  /** The question at first contact, without the space that follows it. */
  static String firstContact(
      String name,
      String address,
      SshPublicKey key,
      List<KnownHosts.Entry> otherNames,
      FingerprintHash hash,
      boolean picture) {
    List<String> lines = new ArrayList<>();
    lines.add("The authenticity of host '%s (%s)' can't be established.".formatted(name, address));
    lines.add("%s key fingerprint is %s.".formatted(key.describe(), key.fingerprint(hash)));
    if (picture) {
      lines.add(key.randomart(hash));
    }
    if (otherNames.isEmpty()) {
      lines.add("This key is not known by any other names.");
    } else {
      lines.add("This host key is known by the following other names/addresses:");
      for (var other : otherNames.subList(0, Math.min(otherNames.size(), MAX_OTHER_NAMES))) {
        String shown = other.names().startsWith("|") ? "[hashed name]" : other.names();
        lines.add("    " + other.where() + ": " + shown);
      }
      if (otherNames.size() > MAX_OTHER_NAMES) {
        lines.add(
            "    (%d additional names omitted)".formatted(otherNames.size() - MAX_OTHER_NAMES));
      }
    }
    lines.add("Are you sure you want to continue connecting (yes/no/[fingerprint])? ");
    return String.join("\n", lines);
  }

  static final String ANSWER_AGAIN = "Please type 'yes', 'no' or the fingerprint: ";

  static String added(String name, SshPublicKey key) {
    return "Warning: Permanently added '%s' (%s) to the list of known hosts."
        .formatted(name, key.describe());
  }

  static String notAdded(Path file, String problem) {
    return "Failed to add the host to the list of known hosts (%s): %s".formatted(file, problem);
  }

  static String changed(
      String name, SshPublicKey key, KnownHosts.Entry known, Path userFile, FingerprintHash hash) {
    return String.join(
        "\n",
        RULE,
        "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @",
        RULE,
        "IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!",
        "Someone could be eavesdropping on you right now (man-in-the-middle attack)!",
        "It is also possible that a host key has just been changed.",
        "The fingerprint for the " + key.describe() + " key sent by the remote host is",
        key.fingerprint(hash) + ".",
        "Please contact your system administrator.",
        "Add correct host key in " + userFile + " to get rid of this message.",
        "Offending " + known.key().describe() + " key in " + known.where(),
        "  remove with:",
        "  ssh-keygen -f \"" + known.file() + "\" -R \"" + name + "\"");
  }

  static String changedStrict(String host) {
    return "Host key for %s has changed and you have requested strict checking.".formatted(host);
  }

  static String revoked(String name, SshPublicKey key) {
    return String.join(
        "\n",
        RULE,
        "@       WARNING: REVOKED HOST KEY DETECTED!               @",
        RULE,
        "The " + key.describe() + " host key for " + name + " is marked as revoked.",
        "This could mean that a stolen key is being used to impersonate this host.");
  }

  static String revokedStrict(String name, SshPublicKey key) {
    return "%s host key for %s was revoked and you have requested strict checking."
        .formatted(key.describe(), name);
  }

  static String unknownStrict(String name, SshPublicKey key) {
    return "No %s host key is known for %s and you have requested strict checking."
        .formatted(key.describe(), name);
  }

  static String revokedByFile(SshPublicKey key, Path file) {
    return "Host key %s %s revoked by file %s".formatted(key.describe(), key.fingerprint(), file);
  }
}

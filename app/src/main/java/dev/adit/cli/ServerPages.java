package dev.adit.cli;

import dev.adit.config.server.ServerKeyword;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** aditd's pages that are written from the tables of flags and keywords. */
final class ServerPages {
  static final List<String> NAMES = List.of("man", "bash", "zsh", "keywords");

  private ServerPages() {}

  static @Nullable String of(String name) {
    return switch (name) {
      case "man" -> manual();
      case "bash" -> bash();
      case "zsh" -> zsh();
      case "keywords" -> keywords();
      default -> null;
    };
  }

  // --- man ---

  private static String manual() {
    var page = new StringBuilder();
    page.append(
        """
        .TH ADITD 8
        .SH NAME
        aditd \\- a gateway for tunnels over SSH
        .SH SYNOPSIS
        .B aditd
        """);
    var cluster = new StringBuilder();
    for (var flag : ServerFlag.values()) {
      if (flag.argument() == null) {
        cluster.append(flag.letter());
      }
    }
    page.append("[\\fB\\-").append(cluster).append("\\fR]\n");
    for (var flag : ServerFlag.values()) {
      if (flag.argument() != null) {
        page.append(
            "[\\fB\\-%c\\fR \\fI%s\\fR]\n".formatted(flag.letter(), Pages.roff(flag.argument())));
      }
    }
    page.append(
        """
        .SH DESCRIPTION
        aditd is an SSH server for tunnels. It takes the flags of
        .BR sshd (8)
        and the configuration of
        .BR sshd_config (5).
        It goes to the background unless \\-D or \\-d is given.
        .PP
        SIGHUP has it read its configuration again; tunnels that exist live on. SIGTERM has it stop
        listening, wait for tunnels to end as long as DrainTime says, and exit.
        .SH OPTIONS
        """);
    for (var flag : ServerFlag.values()) {
      page.append(".TP\n");
      if (flag.argument() == null) {
        page.append(".B \\-").append(flag.letter()).append('\n');
      } else {
        page.append(
            "\\fB\\-%c\\fR \\fI%s\\fR\n".formatted(flag.letter(), Pages.roff(flag.argument())));
      }
      page.append(Pages.roff(flag.description())).append('\n');
    }
    page.append(
        """
        .SH EXIT STATUS
        0 when all is well, 1 when the command line is wrong or no host key can be used, 255 when the
        configuration is wrong or there is nowhere to listen.
        .SH FILES
        ~/.config/adit/sshd_config, /etc/adit/sshd_config, ~/.local/state/adit, /var/lib/aditd
        .SH SEE ALSO
        .BR adit (1),
        .BR sshd (8),
        .BR sshd_config (5)
        """);
    return page.toString();
  }

  // --- completions ---

  private static String bash() {
    var flags = new StringBuilder();
    var withArgument = new StringBuilder();
    for (var flag : ServerFlag.values()) {
      flags.append(flags.isEmpty() ? "-" : " -").append(flag.letter());
      if (flag.argument() != null) {
        withArgument.append(flag.letter());
      }
    }
    var keywords = new StringBuilder();
    for (var keyword : ServerKeyword.values()) {
      if (isOption(keyword)) {
        keywords.append(keywords.isEmpty() ? "" : " ").append(keyword.text()).append('=');
      }
    }
    return """
    # bash completion for aditd; source it, or put it where bash-completion finds it.
    _aditd() {
      local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}"
      COMPREPLY=()
      case "$previous" in
        -o) compopt -o nospace; COMPREPLY=($(compgen -W "%s" -- "$current")); return ;;
        -f|-E|-h|-c) COMPREPLY=($(compgen -f -- "$current")); return ;;
        -C) compopt -o nospace; COMPREPLY=($(compgen -W "user= addr= host= laddr= lport=" -- "$current")); return ;;
        -[%s]) return ;;
      esac
      COMPREPLY=($(compgen -W "%s" -- "$current"))
    }
    complete -F _aditd aditd
    """
        .formatted(keywords, withArgument, flags);
  }

  private static String zsh() {
    var page = new StringBuilder();
    page.append(
        """
        #compdef aditd
        # zsh completion for aditd; put it as _aditd into a directory of $fpath.
        _arguments -s \\
        """);
    var lines =
        Arrays.stream(ServerFlag.values())
            .map(
                flag ->
                    "  '*-%c[%s]%s'"
                        .formatted(
                            flag.letter(),
                            Pages.zshText(flag.description()),
                            flag.argument() == null
                                ? ""
                                : ":%s:%s".formatted(flag.argument(), zshAction(flag))))
            .toList();
    return page.append(String.join(" \\\n", lines)).append('\n').toString();
  }

  private static String zshAction(ServerFlag flag) {
    return switch (flag) {
      case CONFIG, LOG_FILE, HOST_KEY, CERTIFICATE -> "_files";
      default -> " ";
    };
  }

  private static boolean isOption(ServerKeyword keyword) {
    return keyword.state() != ServerKeyword.State.IGNORED
        && keyword != ServerKeyword.MATCH
        && keyword != ServerKeyword.INCLUDE;
  }

  // --- keywords ---

  private static String keywords() {
    var page = new StringBuilder();
    page.append(
        """
        # Keywords of sshd_config

        This page is written by `aditd --generate keywords`. It lists every keyword of
        sshd_config(5) in OpenSSH 9.2 to 10, and adit's own. An unknown keyword is an error.

        - **yes**: it does what sshd_config(5) says.
        - **noted**: it does nothing here, and nothing is less safe for it. Where it asks for
          something, aditd says so in one line when it starts, and goes on.
        - **refused**: it does nothing here, and whoever wrote it relies on it. Where it asks for
          something, aditd does not start; `no` or `none` may stand.
        - **skipped**: it is history; OpenSSH skips it too.

        | keyword | | in Match | remarks |
        |---|---|---|---|
        """);
    for (var keyword : ServerKeyword.values()) {
      var state =
          switch (keyword.state()) {
            case IMPLEMENTED -> "yes";
            case NOTED -> "noted";
            case REFUSED -> "refused";
            case IGNORED -> "skipped";
          };
      page.append(
          "| %s | %s | %s | %s |\n"
              .formatted(
                  keyword.text(),
                  state,
                  keyword.scope() == ServerKeyword.Scope.GLOBAL ? "no" : "yes",
                  keyword.note()));
    }
    return page.toString();
  }
}

package dev.adit.cli;

import dev.adit.config.Keyword;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Pages that are written from the tables of flags and keywords. */
final class Pages {
  static final List<String> NAMES = List.of("man", "bash", "zsh", "keywords");

  private Pages() {}

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
        .TH ADIT 1
        .SH NAME
        adit \\- tunnels and logins over SSH
        .SH SYNOPSIS
        .B adit
        """);
    var cluster = new StringBuilder();
    for (var flag : Flag.values()) {
      if (flag.argument() == null && flag.missing() == null) {
        cluster.append(flag.letter());
      }
    }
    page.append("[\\fB\\-").append(cluster).append("\\fR]\n");
    for (var flag : Flag.values()) {
      if (flag.argument() != null && flag.missing() == null) {
        page.append("[\\fB\\-%c\\fR \\fI%s\\fR]\n".formatted(flag.letter(), roff(flag.argument())));
      }
    }
    page.append(
        """
        .I destination
        [\\fIcommand\\fR [\\fIargument\\fR ...]]
        .br
        .B adit demo
        [\\fB--once\\fR]
        .br
        .B adit explain
        """);
    for (var option : ExplainOption.values()) {
      page.append("[\\fB%s\\fR%s]\n".formatted(roff(option.text()), roffArgument(option)));
    }
    page.append(
        """
        .I any of the above
        .SH DESCRIPTION
        adit logs in to a server over SSH, as
        .BR ssh (1)
        does, and forwards ports through it. The destination is
        [\\fIuser\\fR@]\\fIhost\\fR or ssh://[\\fIuser\\fR@]\\fIhost\\fR[:\\fIport\\fR].
        Flags may be clustered, and may also follow the destination; what comes then is a command
        that is run at the server instead of a shell.
        .PP
        Settings come from the command line, then from ~/.ssh/config, then from
        /etc/ssh/ssh_config; the first value wins. The files are those of
        .BR ssh_config (5).
        .SH OPTIONS
        """);
    for (var flag : Flag.values()) {
      page.append(".TP\n");
      if (flag.argument() == null) {
        page.append(".B \\-").append(flag.letter()).append('\n');
      } else {
        page.append("\\fB\\-%c\\fR \\fI%s\\fR\n".formatted(flag.letter(), roff(flag.argument())));
      }
      page.append(roff(flag.description())).append('\n');
      if (flag.missing() != null) {
        page.append("This is not there yet.\n");
      }
    }
    page.append(
        """
        .SH DEMO
        .B adit demo
        starts an SSH server, two web sites and a client with three tunnels on this machine, fetches
        a page through each, and stays until it is interrupted; with
        .B --once
        it ends by itself. A host that is called demo is reached as ssh://demo.
        .SH EXPLAIN
        .B adit explain
        draws what the command line behind it would do, and says it in words: who listens where and
        for whom, who looks a name up, who connects to whom and when, and which legs are encrypted.
        It warns of what people often get wrong. It connects to nothing and looks nothing up.
        A host that is called explain is reached as ssh://explain. Its options stand before the
        command line:
        """);
    for (var option : ExplainOption.values()) {
      page.append(".TP\n\\fB%s\\fR%s\n".formatted(roff(option.text()), roffArgument(option)))
          .append(roff(option.description()))
          .append('\n');
    }
    page.append(
        """
        .SH EXIT STATUS
        That of the command, or 255 when something went wrong on the way.
        .SH FILES
        ~/.ssh/config, /etc/ssh/ssh_config, ~/.ssh/known_hosts, ~/.ssh/id_*
        .SH SEE ALSO
        .BR ssh (1),
        .BR ssh_config (5)
        """);
    return page.toString();
  }

  private static String roffArgument(ExplainOption option) {
    return option.argument() == null ? "" : " \\fI" + roff(option.argument()) + "\\fR";
  }

  static String roff(String text) {
    var escaped = text.replace("\\", "\\e").replace("-", "\\-");
    return escaped.startsWith(".") || escaped.startsWith("'") ? "\\&" + escaped : escaped;
  }

  // --- completions ---

  private static String bash() {
    var flags = new StringBuilder();
    var withArgument = new StringBuilder();
    for (var flag : Flag.values()) {
      if (flag.missing() == null) {
        flags.append(flags.isEmpty() ? "-" : " -").append(flag.letter());
      }
      if (flag.argument() != null) {
        withArgument.append(flag.letter());
      }
    }
    var keywords = new StringBuilder();
    for (var keyword : Keyword.values()) {
      if (isOption(keyword)) {
        keywords.append(keywords.isEmpty() ? "" : " ").append(keyword.text()).append('=');
      }
    }
    return """
    # bash completion for adit; source it, or put it where bash-completion finds it.
    _adit_hosts() {
      local files=(~/.ssh/config /etc/ssh/ssh_config)
      awk 'tolower($1) == "host" { for (i = 2; i <= NF; i++) if ($i !~ /[*?!]/) print $i }' \\
        "${files[@]}" 2>/dev/null
    }
    _adit() {
      local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}"
      COMPREPLY=()
      if [[ "${COMP_WORDS[1]}" == explain && "$current" == --* ]]; then
        COMPREPLY=($(compgen -W "%s" -- "$current")); return
      fi
      case "$previous" in
        -o) compopt -o nospace; COMPREPLY=($(compgen -W "%s" -- "$current")); return ;;
        -F|-E|-i|-S|--svg) COMPREPLY=($(compgen -f -- "$current")); return ;;
        -Q) COMPREPLY=($(compgen -W "$(adit -Q help 2>/dev/null)" -- "$current")); return ;;
        -c) COMPREPLY=($(compgen -W "$(adit -Q cipher 2>/dev/null)" -- "$current")); return ;;
        -m) COMPREPLY=($(compgen -W "$(adit -Q mac 2>/dev/null)" -- "$current")); return ;;
        -J) COMPREPLY=($(compgen -W "$(_adit_hosts)" -- "$current")); return ;;
        -[%s]) return ;;
      esac
      if [[ "$current" == -* ]]; then
        COMPREPLY=($(compgen -W "%s" -- "$current"))
      else
        COMPREPLY=($(compgen -W "$(_adit_hosts) $([[ $COMP_CWORD == 1 ]] && echo explain demo)" \\
            -- "$current"))
      fi
    }
    complete -F _adit adit
    """
        .formatted(explainOptions(), keywords, withArgument, flags);
  }

  private static String explainOptions() {
    return Stream.of(ExplainOption.values())
        .map(ExplainOption::text)
        .collect(Collectors.joining(" "));
  }

  private static String zsh() {
    var page = new StringBuilder();
    page.append(
        """
        #compdef adit
        # zsh completion for adit; put it as _adit into a directory of $fpath.
        _adit_hosts() {
          local -a hosts
          hosts=(${(f)"$(awk 'tolower($1) == "host" { for (i = 2; i <= NF; i++) if ($i !~ /[*?!]/) print $i }' ~/.ssh/config /etc/ssh/ssh_config 2>/dev/null)"})
          compadd -a hosts
          [[ $CURRENT == 2 ]] && compadd explain demo
        }
        local -a explain
        if [[ $words[2] == explain && $CURRENT -gt 2 ]]; then
          explain=(
        """);
    for (var option : ExplainOption.values()) {
      page.append("    '%s[%s]".formatted(option.text(), zshText(option.description())));
      if (option.argument() != null) {
        page.append(
            ":%s:%s".formatted(option.argument(), option == ExplainOption.SVG ? "_files" : " "));
      }
      page.append("'\n");
    }
    page.append(
        """
          )
          words=("$words[1]" "${(@)words[3,-1]}")
          (( CURRENT-- ))
        fi
        _arguments -s $explain \\
        """);
    for (var flag : Flag.values()) {
      if (flag.missing() != null) {
        continue;
      }
      page.append("  '*-%c[%s]".formatted(flag.letter(), zshText(flag.description())));
      if (flag.argument() != null) {
        page.append(":%s:%s".formatted(zshText(flag.argument()), zshAction(flag)));
      }
      page.append("' \\\n");
    }
    return page.append("  '1:destination:_adit_hosts' \\\n  '*::command:_normal'\n").toString();
  }

  private static String zshAction(Flag flag) {
    return switch (flag) {
      case CONFIG, LOG_FILE, IDENTITY, CONTROL_PATH -> "_files";
      case JUMP -> "_adit_hosts";
      default -> " ";
    };
  }

  static String zshText(String text) {
    return text.replace("'", "'\\''").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:");
  }

  private static boolean isOption(Keyword keyword) {
    return keyword.state() != Keyword.State.IGNORED
        && keyword != Keyword.HOST
        && keyword != Keyword.MATCH
        && keyword != Keyword.INCLUDE;
  }

  // --- keywords ---

  private static String keywords() {
    var page = new StringBuilder();
    page.append(
        """
        # Keywords of ssh_config

        This page is written by `adit --generate keywords`. It lists every keyword of
        ssh_config(5) in OpenSSH 9.2 to 10. An unknown keyword is an error, unless
        `IgnoreUnknown` names it.

        - **yes**: it does what ssh_config(5) says.
        - **accepted**: its arguments are checked and `adit -G` prints it; it does nothing else
          yet. `adit -v` says so.
        - **skipped**: it is history; OpenSSH skips it too.

        | keyword | | remarks |
        |---|---|---|
        """);
    for (var keyword : Keyword.values()) {
      var state =
          switch (keyword.state()) {
            case IMPLEMENTED -> "yes";
            case ACCEPTED -> "accepted";
            case IGNORED -> "skipped";
          };
      page.append("| %s | %s | %s |\n".formatted(keyword.text(), state, keyword.note()));
    }
    return page.toString();
  }
}

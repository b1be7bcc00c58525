# What a scenario is told in: commands that are printed as a person would type them, and checks that
# end the run when they don't hold. Sourced by ./run.

bold='' dim='' plain=''
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; fi

die() { echo "scenarios: $*" >&2; exit 1; }

title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
note() { printf '  %s%s%s\n' "$dim" "$*" "$plain"; }

# Prints a command line at a host's prompt.
prompt() { local host=$1; shift; printf '  %s$ %s\n' "$host" "$*"; }

failed() {
  local log
  echo "  FAILED: $*" >&2
  for log in "$world"/*/tunnel.log "$world"/home/ssh-server.log; do
    [[ -s $log ]] && { echo "  --- $log" >&2; tail -n 15 "$log" >&2; }
  done
  exit 1
}

# A command that must succeed. Its output is kept in $out.
works() { # host, command line
  local host=$1; shift
  prompt "$host" "$*"
  out=$(on "$host" timeout 60 bash -c "$*" 2>&1 </dev/null) || failed "'$*' at $host: $out"
}

# A command that must fail, because there is no way.
impossible() { # host, command line
  local host=$1; shift
  prompt "$host" "$*"
  if out=$(on "$host" timeout 10 bash -c "$*" 2>&1); then
    failed "'$*' at $host works without the tunnel"
  fi
  note "impossible: $(tail -n 1 <<<"$out")"
}

shows() { # a text that the last command's output has
  [[ $out == *"$1"* ]] || failed "'$1' is not in: $out"
}

proof() { note "proof: $*"; }

# ---- The tunnel: a session that stays open until somebody types exit in it ------------------------

tunnel_up() { # host, arguments of adit or ssh
  local host=$1; shift
  prompt "$host" "$client_name $*"
  mkfifo "$world/$host/keyboard"
  local at
  at_host "$host"
  # Opened both ways, which never waits, and before the client's shell opens it: a wait would end
  # badly when a signal comes, and never end for the one who stays behind.
  exec {keyboard}<>"$world/$host/keyboard"
  "${at[@]}" "$client" "$@" <"$world/$host/keyboard" >"$world/$host/tunnel.log" 2>&1 \
    {keyboard}>&- &
  tunnel=$! tunnel_host=$host
}

# Waits until the tunnel's listener is there, without connecting to it.
tunnel_listens() { # host, port
  wait_for_port "$1" "$2" || failed "nobody listens at $1 port $2"
}

tunnel_down() {
  prompt home exit
  echo exit >&"$keyboard"
  exec {keyboard}>&-
  local i
  for ((i = 0; i < 100; i++)); do kill -0 "$tunnel" 2>/dev/null || break; sleep 0.05; done
  kill -0 "$tunnel" 2>/dev/null && failed "the tunnel does not end"
  wait "$tunnel" || failed "the tunnel ended with status $?"
  rm "$world/$tunnel_host/keyboard"
}

# ---- Captures ------------------------------------------------------------------------------------

capture_start() { # name, host, interface, filter
  local name=$1 host=$2 interface=$3; shift 3
  serve_on "$host" "tcpdump-$name" tcpdump -Z root --immediate-mode -U -n -i "$interface" \
    -w "$world/$name.pcap" "$@"
  captures+=("$server")
  local i
  for ((i = 0; i < 200; i++)); do
    grep -q 'listening on' "$world/$host/tcpdump-$name.log" 2>/dev/null && return 0
    sleep 0.05
  done
  failed "tcpdump does not start at $host"
}

captures_stop() {
  local one
  sleep 0.2
  for one in "${captures[@]}"; do
    kill "$one"
    while kill -0 "$one" 2>/dev/null; do sleep 0.02; done
  done
  captures=()
}
captures=()

packets() { tcpdump -n -r "$world/$1.pcap" 2>/dev/null | wc -l; }
captured() { grep -aq -- "$2" "$world/$1.pcap"; }

# ---- Pictures ------------------------------------------------------------------------------------

browser=(chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run
  --disable-background-networking --disable-component-update --disable-sync --hide-scrollbars
  --window-size=800,600)

browse() { # host, url, picture, further arguments
  local host=$1 url=$2 picture=$3; shift 3
  prompt "$host" "chromium $* $url"
  rm -rf "$world/$host/chromium"
  on "$host" timeout 90 "${browser[@]}" --user-data-dir="$world/$host/chromium" \
    --screenshot="$picture" "$@" "$url" >"$world/$host/chromium.log" 2>&1 \
    || failed "chromium at $host: $(tail -n 3 "$world/$host/chromium.log")"
  [[ -s $picture ]] || failed "chromium took no screenshot"
}

same_picture() { # one, other: equal in every pixel but for a share that a lossy format may change
  local different
  different=$(compare -metric AE -fuzz "${3:-0%}" "$1" "$2" null: 2>&1) || true
  [[ $different == 0 ]] || failed "$1 and $2 differ in $different pixels"
}

not_one_colour() {
  (($(identify -format %k "$1") > 2)) || failed "$1 shows nothing"
}

# The article's machines, each a network namespace with its own names, home and processes. Sourced
# by ./run; needs root.
#
#   campus LAN 10.1.0.0/24        "internet" 203.0.113.0/24            home LAN 192.168.7.0/24
#
#   work .2 ---------+                          +--- home .10 -------------- files .2
#                    +--- campus (firewall) ----+--- yahoo.com .20
#   intra-site.com .3+    .1            .1      +--- banned .30
#                                               +--- cafe .40
#
# campus lets the LAN out to home's port 22 only, and nobody in. files is reached from home alone.

hosts=(work intra campus net home yahoo banned cafe files)

declare -A address=(
  [work]=10.1.0.2 [intra]=10.1.0.3 [campus]=203.0.113.1 [home]=203.0.113.10
  [yahoo]=203.0.113.20 [banned]=203.0.113.30 [cafe]=203.0.113.40 [files]=192.168.7.2
)

# The names that a host knows, as in /etc/hosts; every other name is asked of its (missing) DNS.
names_of() {
  case $1 in
    work) echo "${address[home]} home"; echo "${address[banned]} banned"
          echo "${address[intra]} intra-site.com" ;;
    home) echo "${address[yahoo]} yahoo.com"; echo "${address[banned]} banned"
          echo "${address[files]} files" ;;
    cafe) echo "${address[home]} home" ;;
    yahoo) echo "${address[yahoo]} yahoo.com" ;;
  esac
}

# The namespace of a host. The runner's process is in the name, so that leftovers of a runner that
# was killed can be told from a world that is in use.
ns() { echo "adit-$$-$1"; }

# What is put in front of a command so that it runs on a host, as its root: with that host's network,
# names and home folder. Sets the array at.
at_host() {
  at=(ip netns exec "$(ns "$1")" env -u SSH_AUTH_SOCK -u SSH_CONNECTION HOME="$world/$1/root"
    TMPDIR="$world/$1" PATH="$PATH:/usr/sbin:/sbin")
}

on() {
  local host=$1 at; shift
  at_host "$host"
  "${at[@]}" "$@"
}

# Starts a server on a host; its output goes to a log of its own. Its process is $server.
serve_on() {
  local host=$1 name=$2 at; shift 2
  at_host "$host"
  "${at[@]}" setsid "$@" >"$world/$host/$name.log" 2>&1 </dev/null &
  server=$!
  disown
}

wait_for_port() { # host, port, seconds
  local i
  for ((i = 0; i < ${3:-15} * 20; i++)); do
    [[ -n $(on "$1" ss -Hltn "sport = :$2") ]] && return 0
    sleep 0.05
  done
  return 1
}

make_host() {
  local host=$1 etc; etc=/etc/netns/$(ns "$host")
  mkdir -p "$world/$host/root/.ssh" "$etc"
  chmod 700 "$world/$host/root/.ssh"
  { echo "127.0.0.1 localhost"; echo "::1 localhost"; echo "127.0.0.1 $(hostname)"; names_of "$host"; } >"$etc/hosts"
  echo "hosts: files dns" >"$etc/nsswitch.conf"
  for db in passwd group shadow; do echo "$db: files" >>"$etc/nsswitch.conf"; done
  printf 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n' >"$etc/resolv.conf"
  # Everyone is root on their own machine; each machine's root has a home of its own.
  awk -F: -v OFS=: -v home="$world/$host/root" '$1 == "root" { $6 = home; $7 = "/bin/bash" } 1' \
    /etc/passwd >"$etc/passwd"
  ip netns add "$(ns "$host")"
  ip -n "$(ns "$host")" link set lo up
}

# A cable between two hosts: host, its interface, the other host, its interface.
cable() {
  ip link add "$2" netns "$(ns "$1")" type veth peer name "$4" netns "$(ns "$3")"
  ip -n "$(ns "$1")" link set "$2" up
  ip -n "$(ns "$3")" link set "$4" up
}

set_address() { ip -n "$(ns "$1")" address add "$3" dev "$2"; }

build_network() {
  local host
  for host in "${hosts[@]}"; do make_host "$host"; done

  on net ip link add internet type bridge
  on net ip link set internet up
  for host in campus home yahoo banned cafe; do
    cable "$host" eth0 net "$host"
    on net ip link set "$host" master internet
    set_address "$host" eth0 "${address[$host]}/24"
  done

  on campus ip link add lan type bridge
  on campus ip link set lan up
  set_address campus lan 10.1.0.1/24
  for host in work intra; do
    cable "$host" eth0 campus "$host"
    on campus ip link set "$host" master lan
    set_address "$host" eth0 "${address[$host]}/24"
    ip -n "$(ns "$host")" route add default via 10.1.0.1
  done

  cable home lan files eth0
  set_address home lan 192.168.7.1/24
  set_address files eth0 "${address[files]}/24"

  on campus sysctl -qw net.ipv4.ip_forward=1
  on campus nft -f - <<FIREWALL
table ip university {
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    iifname "lan" oifname "lan" accept
    iifname "lan" oifname "eth0" ip daddr ${address[home]} tcp dport 22 accept
    reject with icmp type admin-prohibited
  }
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iifname { "lo", "lan" } accept
  }
  chain leave {
    type nat hook postrouting priority srcnat;
    oifname "eth0" masquerade
  }
}
FIREWALL
}

# Keys: work may log in at home and at banned, and knows both.
make_keys() {
  local host
  for host in home banned; do
    ssh-keygen -q -t ed25519 -N '' -C "$host" -f "$world/$host/host_key"
  done
  ssh-keygen -q -t ed25519 -N '' -C work -f "$world/work/root/.ssh/id_ed25519"
  for host in home banned; do
    cp "$world/work/root/.ssh/id_ed25519.pub" "$world/$host/root/.ssh/authorized_keys"
    echo "$host $(cut -d' ' -f1,2 "$world/$host/host_key.pub")"
  done >"$world/work/root/.ssh/known_hosts"
  echo "[localhost]:9001 $(cut -d' ' -f1,2 "$world/banned/host_key.pub")" \
    >>"$world/work/root/.ssh/known_hosts"
}

web_site() { # host, title, colour
  local host=$1 dir=$world/$1/www
  mkdir -p "$dir" "$world/$host/nginx"
  cat >"$dir/index.html" <<PAGE
<!doctype html><title>$2</title>
<body style="margin:0;background:$3;font:28px DejaVu Sans,sans-serif;text-align:center">
<h1>$2</h1><p>This page is served by $2 and by nobody else.</p>
<svg width="400" height="200"><circle cx="100" cy="100" r="80" fill="white"/>
<rect x="220" y="30" width="140" height="140" fill="black"/></svg>
PAGE
  cat >"$world/$host/nginx.conf" <<CONF
daemon off;
pid $world/$host/nginx/pid;
error_log stderr;
events {}
http {
  access_log $world/$host/nginx/access;
  client_body_temp_path $world/$host/nginx/1;
  proxy_temp_path $world/$host/nginx/2;
  fastcgi_temp_path $world/$host/nginx/3;
  uwsgi_temp_path $world/$host/nginx/4;
  scgi_temp_path $world/$host/nginx/5;
  types { text/html html; }
  server { listen 80; root $dir; }
}
CONF
  # nginx's workers are another user's.
  chmod 755 "$world" "$world/$host"
  serve_on "$host" nginx nginx -c "$world/$host/nginx.conf" -e stderr
}

ssh_server() { # host, program
  local host=$1
  cat >"$world/$host/sshd_config" <<CONF
Port 22
HostKey $world/$host/host_key
PidFile none
${gateway_extra:-}
PermitRootLogin prohibit-password
PasswordAuthentication no
CONF
  mkdir -p /run/sshd
  serve_on "$host" "ssh-server" "$2" -D -e -f "$world/$host/sshd_config"
}

start_servers() {
  echo banned >"$world/banned/name"
  web_site yahoo yahoo.com '#7b2fbe'
  head -c 100M /dev/urandom >"$world/yahoo/www/big"
  web_site intra intra-site.com '#2f7bbe'
  web_site home home '#2fbe7b'
  ssh_server banned /usr/sbin/sshd
  ssh_server home "$gateway"
}

build_world() {
  world=$(mktemp -d "${TMPDIR:-/tmp}/adit-world.$$.XXXXXX")
  chmod 755 "$world"
  build_network
  make_keys
  start_servers
  local at
  for at in yahoo:80 intra:80 home:80 banned:22 home:22; do
    wait_for_port "${at%:*}" "${at#*:}" || die "the server at $at does not start: $(tail -n 3 \
      "$world/${at%:*}"/*.log)"
  done
}

# Takes down what a runner made: every process in its namespaces, the namespaces, the folders.
# Programs are asked to end before they are killed, since some (Xvfb) leave files elsewhere.
remove_world() { # the runner's process
  local name names i
  names=$(ip netns list | awk '{print $1}' | grep "^adit-$1-") || names=''
  for name in $names; do kill $(ip netns pids "$name") 2>/dev/null || true; done
  for name in $names; do
    for ((i = 0; i < 40; i++)); do
      [[ -z $(ip netns pids "$name") ]] && break
      sleep 0.05
    done
    kill -9 $(ip netns pids "$name") 2>/dev/null || true
    ip netns del "$name" || true
    rm -rf "/etc/netns/$name"
  done
  rm -rf "${TMPDIR:-/tmp}/adit-world.$1".*
  rmdir --ignore-fail-on-non-empty /etc/netns 2>/dev/null || true
}

# Worlds whose runner is gone (kill -9, a lost terminal).
sweep() {
  local pid
  for pid in $(ip netns list | sed -n 's/^adit-\([0-9]*\)-.*/\1/p' | sort -u); do
    [[ -d /proc/$pid ]] || remove_world "$pid"
  done
}

# Starts home's gateway anew with these lines of configuration before its own.
gateway_restart() {
  local pid
  for pid in $(on home ss -Hltnp 'sport = :22' | grep -o 'pid=[0-9]*' | cut -d= -f2 | sort -u); do
    kill "$pid"
  done
  local i
  for ((i = 0; i < 200; i++)); do
    [[ -z $(on home ss -Hltn 'sport = :22') ]] && break
    sleep 0.05
  done
  gateway_extra=${1:-}
  ssh_server home "$gateway"
  wait_for_port home 22 || failed "the gateway does not start again"
}

title "3. An SSH session inside the tunnel"
impossible work "ssh -o ConnectTimeout=3 -o BatchMode=yes banned true"
impossible work "$adit -o BatchMode=yes banned true"
shows "connect to host banned port 22: No route to host"
capture_start home home eth0

tunnel_up work -L 9001:banned:22 home
tunnel_listens work 9001

# The tools at both ends: adit in the session, and OpenSSH's client, whatever the tunnel is made by.
for inner in "$adit" ssh; do
  works work "$inner -p 9001 localhost 'echo I am \$(cat $world/banned/name); exit 3' || test \$? = 3"
  shows "I am banned"
done
prompt work "${adit##*/} -p 9001 localhost   (a shell in a terminal)"
shell=$(on work timeout 30 script -qec "$adit -p 9001 localhost" /dev/null \
  <<<"$(printf 'stty size >/dev/null && echo on-a-terminal-$((6 * 7))\nexit\n')" 2>&1) \
  || failed "the shell: $shell"
[[ $shell == *on-a-terminal-42* ]] || failed "no shell in a terminal: $shell"
captures_stop
captured home "I am banned" && failed "home saw the session's text"
captured home on-a-terminal && failed "home saw the shell's text"
proof "command, exit status and shell work; home saw ciphertext alone"

tunnel_down
impossible work "ssh -o ConnectTimeout=3 -o BatchMode=yes -p 9001 localhost true"

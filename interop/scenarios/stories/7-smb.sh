title "7. A Windows share: SMB through -L"
secret="minutes of the secret meeting $(date +%N)"
mkdir -p "$world/files/share" "$world/files/samba"
echo "$secret" >"$world/files/share/minutes.txt"
chmod -R 777 "$world/files/share"
cat >"$world/files/smb.conf" <<CONF
[global]
interfaces = eth0
bind interfaces only = yes
smb ports = 445
disable netbios = yes
map to guest = bad user
guest account = root
server smb encrypt = off
private dir = $world/files/samba
lock directory = $world/files/samba
state directory = $world/files/samba
cache directory = $world/files/samba
pid directory = $world/files/samba
ncalrpc dir = $world/files/samba
load printers = no
[share]
path = $world/files/share
guest ok = yes
read only = no
CONF
serve_on files smb smbd --foreground --no-process-group --configfile="$world/files/smb.conf" \
  --debug-stdout
wait_for_port files 445 || failed "samba does not start: $(tail -n 5 "$world/files/smb.log")"
impossible work "smbclient -N -p 445 -c ls //${address[files]}/share"

capture_start work work eth0
capture_start files files eth0
tunnel_up work -L 1445:files:445 home
tunnel_listens work 1445
works work "cd $world/work && smbclient -N -p 1445 -c 'get minutes.txt' //localhost/share"
works work "cat $world/work/minutes.txt"
shows "$secret"
answer="answer to the $secret"
works work "cd $world/work && echo '$answer' >answer.txt && smbclient -N -p 1445 -c 'put answer.txt' //localhost/share"
[[ $(cat "$world/files/share/answer.txt") == "$answer" ]] || failed "the file was not written"
captures_stop
captured work "$secret" && failed "the file crossed work-home in clear"
captured files "$answer" || failed "the file did not cross home-files in clear"
proof "read and written; encrypted between work and home, in clear between home and files"

tunnel_down
impossible work "smbclient -N -p 1445 -c ls //localhost/share"

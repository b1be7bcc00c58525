title "6. FTP, which encrypts nothing, through -D"
mkdir -p "$world/home/ftp/pub" /run/vsftpd/empty
secret="the diary of $(date +%N)"
{ echo "$secret"; head -c 5M /dev/urandom; } >"$world/home/ftp/pub/diary"
chmod -R a+rX "$world/home/ftp"
cat >"$world/home/vsftpd.conf" <<CONF
listen=YES
listen_address=127.0.0.1
background=NO
anonymous_enable=YES
anon_root=$world/home/ftp
seccomp_sandbox=NO
xferlog_enable=NO
pasv_enable=YES
CONF
serve_on home ftp vsftpd "$world/home/vsftpd.conf"
wait_for_port home 21 || failed "the FTP server does not start: $(cat "$world/home/ftp.log")"
impossible work "curl -sS --max-time 5 ftp://home/pub/diary"

capture_start work work eth0
capture_start home home lo port 21
tunnel_up work -D 9001 home
tunnel_listens work 9001
works work "curl -sS --ftp-pasv -x socks5h://localhost:9001 ftp://localhost/pub/diary | sha256sum"
shows "$(sha256sum <"$world/home/ftp/pub/diary")"
captures_stop
captured work "$secret" && failed "the file crossed work-home in clear"
# Long enough that the ciphertext won't have it by chance.
command='USER anonymous'
captured home "$command" || failed "the capture at home has no FTP"
captured work "$command" && failed "FTP's commands crossed work-home in clear"
proof "commands and data, two connections, went through one tunnel, encrypted"

tunnel_down
impossible work "curl -sS -x socks5h://localhost:9001 ftp://localhost/pub/diary"

title "8. A proxy into the university, at home: -R without a target"
impossible home "curl -sS --max-time 5 http://${address[intra]}/"

tunnel_up work -R 9001 home
tunnel_listens home 9001
works home "curl -sS -x socks5h://localhost:9001 http://intra-site.com/"
shows "served by intra-site.com"
proof "work looks intra-site.com up: home does not know the name"
impossible cafe "curl -sS --max-time 5 -x socks5h://home:9001 http://intra-site.com/"

tunnel_down
impossible home "curl -sS -x socks5h://localhost:9001 http://intra-site.com/"

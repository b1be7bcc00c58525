title "4. The university's internal site, from home: -R"
impossible home "curl -sS --max-time 5 http://${address[intra]}/"
impossible home "curl -sS http://localhost:9001/"

tunnel_up work -R 9001:intra-site.com:80 home
tunnel_listens home 9001
works home "curl -sS http://localhost:9001/"
shows "served by intra-site.com"
browse home http://localhost:9001/ "$world/through.png"
browse intra http://localhost/ "$world/there.png"
same_picture "$world/through.png" "$world/there.png"
impossible cafe "curl -sS --max-time 5 http://home:9001/"
proof "the forwarded port answers home itself and nobody else: loopback only"

tunnel_down
impossible home "curl -sS http://localhost:9001/"

# GatewayPorts opens it to others.
gateway_restart "GatewayPorts yes"
tunnel_up work -R 9001:intra-site.com:80 home
tunnel_listens home 9001
works cafe "curl -sS http://home:9001/"
shows "served by intra-site.com"
tunnel_down
gateway_restart
impossible cafe "curl -sS --max-time 5 http://home:9001/"

title "1. A web site that the university blocks: -L"
capture_start work work eth0
capture_start yahoo yahoo eth0 tcp port 80
capture_start names work lo udp port 53

impossible work "curl -sS http://yahoo.com/"
impossible work "curl -sS http://${address[yahoo]}/"
packets_of_names=$(packets names)
((packets_of_names > 0)) || failed "the capture of name lookups sees none"
(($(packets yahoo) == 0)) || failed "yahoo.com was reached without the tunnel"

tunnel_up work -L 9001:yahoo.com:80 home
tunnel_listens work 9001
sleep 1
(($(packets yahoo) == 0)) || failed "home connected to yahoo.com when the tunnel was set up"
proof "the tunnel is up, and nobody has connected to yahoo.com yet"

works work "curl -sS http://localhost:9001/"
shows "served by yahoo.com"
captures_stop
(($(packets yahoo) > 0)) || failed "nothing came to yahoo.com"
captured yahoo "served by yahoo.com" || failed "the page's text did not cross home-yahoo.com"
captured work "served by yahoo.com" && failed "the page's text crossed work-home in clear"
proof "the page crossed home-yahoo.com in clear, and nowhere between work and home"
captured names "yahoo" && [[ $(packets names) == "$packets_of_names" ]] \
  || failed "work looked the name up"
proof "home has looked yahoo.com up; work asked for no name since the tunnel was there"

browse work http://localhost:9001/ "$world/through.png"
browse yahoo http://localhost/ "$world/there.png"
not_one_colour "$world/through.png"
same_picture "$world/through.png" "$world/there.png"
proof "the browser at work shows pixel by pixel what a browser at yahoo.com shows"

works work "curl -sS http://localhost:9001/big | sha256sum"
shows "$(sha256sum <"$world/yahoo/www/big")"
proof "100 MB came whole"

tunnel_down
impossible work "curl -sS http://localhost:9001/"

title "5. Any site, by one port: -D"
impossible work "curl -sS http://yahoo.com/"
impossible work "curl -sS --max-time 5 http://home/"

tunnel_up work -D 9001 home
tunnel_listens work 9001
for proxy in socks4a socks5h; do
  works work "curl -sS -x $proxy://localhost:9001 http://yahoo.com/"
  shows "served by yahoo.com"
done
# socks4 and socks5 carry addresses: work can't look yahoo.com up, so it is named by its number.
for proxy in socks4 socks5; do
  works work "curl -sS -x $proxy://localhost:9001 http://${address[yahoo]}/"
  shows "served by yahoo.com"
done
if [[ $client_name == adit ]]; then
  works work "curl -sS -x http://localhost:9001 http://yahoo.com/"
  shows "served by yahoo.com"
  works work "curl -sS -p -x http://localhost:9001 http://yahoo.com/"
  shows "served by yahoo.com"
  browse yahoo http://localhost/ "$world/there.png"
  browse work http://yahoo.com/ "$world/through.png" --proxy-pac-url=http://localhost:9001/proxy.pac
  same_picture "$world/through.png" "$world/there.png"
fi
browse work http://yahoo.com/ "$world/through.png" --proxy-server=socks5://localhost:9001
browse yahoo http://localhost/ "$world/there.png"
same_picture "$world/through.png" "$world/there.png"
browse work http://localhost/ "$world/through.png" --proxy-server=socks5://localhost:9001 \
  '--proxy-bypass-list=<-loopback>'
browse home http://localhost/ "$world/there.png"
same_picture "$world/through.png" "$world/there.png"
proof "one port, every site: yahoo.com, and home's own page"

note "Can it be used for SSH? Yes:"
impossible work "ssh -o ConnectTimeout=3 -o BatchMode=yes banned true"
works work "ssh -o ProxyCommand='nc -X 5 -x localhost:9001 %h %p' banned cat $world/banned/name"
shows banned
works work "$adit -o ProxyCommand='nc -X 5 -x localhost:9001 %h %p' banned cat $world/banned/name"
shows banned

tunnel_down
impossible work "curl -sS -x socks5h://localhost:9001 http://yahoo.com/"

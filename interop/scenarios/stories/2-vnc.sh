title "2. The desktop at home: -L to the gateway itself"
convert -size 640x480 plasma:red-blue -depth 8 "$world/home/wallpaper.png"
serve_on home desktop Xvfb -displayfd 1 -screen 0 640x480x24 -nolisten tcp
for ((i = 0; i < 200; i++)); do [[ -s $world/home/desktop.log ]] && break; sleep 0.05; done
screen=:$(cat "$world/home/desktop.log")
# It draws the picture and ends with 1 all the same.
on home env DISPLAY="$screen" display -window root "$world/home/wallpaper.png" || true
serve_on home vnc x11vnc -display "$screen" -localhost -rfbport 5900 -forever -shared -nopw -quiet \
  -noxdamage -nocursor
wait_for_port home 5900 || failed "the VNC server does not start"

impossible work "nc -z -w 3 home 5900"
impossible work "vncsnapshot -quiet localhost:0 $world/work/none.jpg"

tunnel_up work -L 5900:localhost:5900 home
tunnel_listens work 5900
works work "vncsnapshot -quiet -quality 100 -encodings raw localhost:0 $world/work/desktop.jpg"
same_picture "$world/work/desktop.jpg" "$world/home/wallpaper.png" 6%
proof "the picture that the VNC client took at work is that of home's screen"
proof "localhost in 5900:localhost:5900 is home's: work has no VNC server"

tunnel_down
impossible work "vncsnapshot -quiet localhost:0 $world/work/none.jpg"

# Sourced by adit and aditd, which set $root (this clone) and $main (the class to run). The whole
# check takes a few milliseconds: one find, and no Java before the real one.
image=$root/app/target/adit

if [ ! -e "$image/built" ] || [ -n "$(find "$root/pom.xml" "$root/ssh/pom.xml" "$root/app/pom.xml" \
    "$root/ssh/src/main" "$root/app/src/main" -newer "$image/built" -print -quit)" ]; then
  sh "$root/app/src/main/launcher/build.sh" "$root" || exit 255
fi

# The Java that made the AOT cache; no other one could use it.
read -r java <"$image/java"
if [ ! -x "$java" ]; then
  rm -f "$image/built"
  echo "${0##*/}: $java is gone; the next start looks for a JDK 25 again" >&2
  exit 255
fi

case $main in
  *.Adit) options=client.options ;;
  *) options=gateway.options ;;
esac
# Java's own idea of the home directory comes from the password database; a shell's ~ is $HOME.
exec "$java" ${HOME:+"-Duser.home=$HOME"} "-Dadit.home=$image" \
  "-Djava.library.path=$image/native" "-XX:AOTCache=$image/adit.aot" \
  "@$image/$options" -cp "$image/adit.jar" "$main" "$@"

#!/bin/sh
# Builds the application image app/target/adit for the launchers: build.sh <root of the clone>.
# What is said goes to standard error: standard output belongs to the program.
root=$1
target=$root/app/target
log=$target/build.log
lock=$target/build.lock

sh "$root/app/src/main/launcher/find-jdk.sh" >/dev/null || exit 1
if ! command -v mvn >/dev/null; then
  echo "adit: building it needs Maven (the package maven), and there is no mvn on the PATH" >&2
  exit 1
fi
mkdir -p "$target" || exit 1

# Two programs may be started at once: the second waits for the first one's build.
until mkdir "$lock" 2>/dev/null; do
  if read -r owner 2>/dev/null <"$lock/pid" && ! kill -0 "$owner" 2>/dev/null; then
    rm -rf "$lock" # Its owner was killed.
    continue
  fi
  waited=yes
  sleep 0.2
done
echo $$ >"$lock/pid"
trap 'rm -rf "$lock"' EXIT
trap 'exit 1' INT TERM HUP
[ -n "$waited" ] && [ -e "$target/adit/built" ] && exit 0

touch "$target/build.started"
started=$(date +%s)
printf 'adit: building, once for these sources (%s) ' "$log" >&2
(cd "$root" && exec mvn -B -pl ssh,app -am -Dmaven.test.skip=true -Dadit.launcher package) >"$log" 2>&1 </dev/null &
maven=$!
while kill -0 $maven 2>/dev/null; do
  sleep 1
  printf . >&2
done
if ! wait $maven || [ ! -e "$target/adit/built" ]; then
  echo " failed" >&2
  grep '^\[ERROR\]' "$log" | head -n 20 >&2
  echo "adit: the build failed; all of it is in $log" >&2
  exit 1
fi
# What was changed during the build counts as newer.
touch -r "$target/build.started" "$target/adit/built"
echo " done in $(($(date +%s) - started)) s" >&2

# Sourced by run and micro, which set $root (this clone): builds what is not built, and sets $java,
# the command with the flags and the class path of the benchmarks.
jdk="$(sh "$root/app/src/main/launcher/find-jdk.sh")"
image="$root/app/target/adit"
target="$root/bench/target"

# One build for adit, aditd and the benchmarks, and none if no source is newer than the last one.
sources=("$root"/pom.xml "$root"/{ssh,app,bench}/pom.xml "$root"/{ssh,app,bench}/src/main)
if [[ ! -e $image/built || ! -e $target/built ||
  -n $(find "${sources[@]}" -newer "$target/built" -print -quit) ]]; then
  mkdir -p "$target"
  touch "$target/build.started"
  echo "bench: building ($target/build.log)" >&2
  (cd "$root" && exec mvn -B -pl ssh,app,bench -Dmaven.test.skip=true package) \
    >"$target/build.log" 2>&1 </dev/null || {
    grep '^\[ERROR\]' "$target/build.log" | head -n 20 >&2
    echo "bench: the build failed; all of it is in $target/build.log" >&2
    exit 255
  }
  mv "$target/build.started" "$target/built"
fi

java=("$jdk/bin/java" --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow
  "-Djava.library.path=$image/native"
  -Dcom.amazon.corretto.crypto.provider.useExternalLib=true
  -cp "$target/classes:$target/libraries/*")

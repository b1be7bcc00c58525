#!/bin/sh
# Prints the home of a JDK 25: JAVA_HOME or the PATH's if that is one, else one from the usual
# places. It reads the file "release" of each instead of starting it, which would take long.
is_jdk_25() {
  [ -x "$1/bin/javac" ] && [ -r "$1/release" ] && grep -q '^JAVA_VERSION="25[".]' "$1/release"
}

on_path=$(command -v javac)
[ -n "$on_path" ] && on_path=$(readlink -f "$on_path" 2>/dev/null)
for jdk in "${JAVA_HOME:-/nowhere}" "${on_path%/bin/javac}" /usr/lib/jvm/* /usr/java/* /opt/* \
    /usr/local/lib/jvm/* "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/* \
    /Library/Java/JavaVirtualMachines/*/Contents/Home \
    "$HOME"/Library/Java/JavaVirtualMachines/*/Contents/Home; do
  if is_jdk_25 "$jdk"; then
    echo "$jdk"
    exit 0
  fi
done
cat >&2 <<END
adit needs a JDK 25, and there is none in JAVA_HOME (${JAVA_HOME:-not set}), on the PATH, in
/usr/lib/jvm, /opt, ~/.sdkman, ~/.jdks or where macOS keeps them. Install one, for example the
package temurin-25-jdk or openjdk-25-jdk, or point JAVA_HOME at one.
END
exit 1

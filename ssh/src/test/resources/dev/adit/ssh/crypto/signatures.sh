#!/bin/sh
# Makes signatures.properties with OpenSSL: keys and signatures of "the message".
# Usage: sh signatures.sh > signatures.properties
set -e
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
printf 'the message' > m
for curve in 256:256 384:384 521:512; do
  name=nistp${curve%%:*}
  openssl ecparam -name "P-${curve%%:*}" -genkey -noout -out key 2>/dev/null
  openssl dgst "-sha${curve##*:}" -sign key -out s m
  text=$(openssl ec -in key -text -noout 2>/dev/null | tr -d ' :\n')
  echo "$name.d=$(echo "$text" | sed -E 's/.*priv([0-9a-f]+)pub.*/\1/')"
  echo "$name.point=$(echo "$text" | sed -E 's/.*pub([0-9a-f]+)ASN1.*/\1/')"
  openssl asn1parse -inform DER -in s | sed -nE '2s/.*:(.*)/'"$name"'.r=\1/p;3s/.*:(.*)/'"$name"'.s=\1/p'
done
for bits in 2048 3072; do
  openssl genrsa -out key "$bits" 2>/dev/null
  text=$(openssl rsa -in key -text -noout | tr -d ' :\n')
  for f in modulus:n:publicExponent privateExponent:d:prime1 prime1:p:prime2 prime2:q:exponent1 coefficient:qInv:END; do
    from=${f%%:*}; to=${f##*:}; rest=${f#*:}
    echo "rsa$bits.${rest%%:*}=$(echo "${text}END" | sed -E "s/.*$from([0-9a-f]+)$to.*/\1/")"
  done
  for hash in 256 512; do
    openssl dgst "-sha$hash" -sign key -out s m
    echo "rsa$bits.sha$hash=$(od -An -v -tx1 s | tr -d ' \n')"
  done
done
openssl genpkey -algorithm ed25519 -out key
openssl pkeyutl -sign -inkey key -rawin -in m -out s
text=$(openssl pkey -in key -text -noout | tr -d ' :\n')
echo "ed25519.seed=$(echo "$text" | sed -E 's/.*priv([0-9a-f]+)pub.*/\1/')"
echo "ed25519.public=$(echo "$text" | sed -E 's/.*pub([0-9a-f]+)/\1/')"
echo "ed25519.signature=$(od -An -v -tx1 s | tr -d ' \n')"

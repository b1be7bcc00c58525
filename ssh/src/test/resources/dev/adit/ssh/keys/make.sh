#!/bin/sh
# Makes the keys in this directory anew, with OpenSSH's ssh-keygen and OpenSSL. All passphrases
# are "tunnel". The keys open nothing: they exist for the tests only.
set -eu
cd "$(dirname "$0")"
find . -type f ! -name make.sh -delete

# One key of each type, in OpenSSH's format.
ssh-keygen -q -t ed25519 -N '' -C 'ed25519 comment' -f ed25519
for bits in 256 384 521; do
  ssh-keygen -q -t ecdsa -b $bits -N '' -C "ecdsa comment" -f ecdsa$bits
done
ssh-keygen -q -t rsa -b 2048 -N '' -C 'rsa comment' -f rsa

# The encryptions of OpenSSH's format; few rounds, so that the tests are quick.
for cipher in aes128-ctr aes192-ctr aes256-ctr aes128-cbc aes256-cbc \
  aes128-gcm@openssh.com aes256-gcm@openssh.com; do
  cp ed25519 "openssh-${cipher%@*}"
  ssh-keygen -q -p -a 2 -Z $cipher -P '' -N tunnel -f "openssh-${cipher%@*}" > /dev/null
done

# PKCS#1, SEC1 and PKCS#8, plain and encrypted.
for key in rsa ecdsa256 ecdsa384 ecdsa521; do
  cp $key pem && ssh-keygen -q -p -m PEM -P '' -N '' -f pem > /dev/null
  mv pem $key-pem
  openssl pkcs8 -topk8 -nocrypt -in $key-pem -out $key-pkcs8
done
openssl rsa -traditional -in rsa-pem -aes128 -passout pass:tunnel -out rsa-pem-aes128 2> /dev/null
openssl rsa -traditional -in rsa-pem -aes256 -passout pass:tunnel -out rsa-pem-aes256 2> /dev/null
openssl rsa -traditional -in rsa-pem -des3 -passout pass:tunnel -out rsa-pem-des3 2> /dev/null
openssl ec -in ecdsa256-pem -aes192 -passout pass:tunnel -out ecdsa256-pem-aes192 2> /dev/null
openssl pkcs8 -topk8 -v2 aes256 -passout pass:tunnel -in rsa-pem -out rsa-pkcs8-aes256
openssl pkcs8 -topk8 -v2 aes128 -v2prf hmacWithSHA1 -passout pass:tunnel \
  -in ecdsa384-pem -out ecdsa384-pkcs8-sha1
openssl pkcs8 -topk8 -v2 des3 -v2prf hmacWithSHA512 -passout pass:tunnel \
  -in ecdsa521-pem -out ecdsa521-pkcs8-des3
openssl pkcs8 -topk8 -scrypt -passout pass:tunnel -in ecdsa256-pem -out ecdsa256-pkcs8-scrypt
openssl genpkey -algorithm ed25519 -out pkcs8-ed25519
chmod 600 pkcs8-ed25519
# OpenSSH 9.2 cannot read that one, so its public half is cut out of the DER form of X.509.
{ printf '\0\0\0\013ssh-ed25519\0\0\0\040'
  openssl pkey -in pkcs8-ed25519 -pubout -outform DER | tail -c 32; } |
  base64 -w0 | sed 's/^/ssh-ed25519 /' > pkcs8-ed25519.pub

# Keys of a security key: as there is no such device here, their secret halves are known.
{ printf '\0\0\0\032sk-ssh-ed25519@openssh.com\0\0\0\040'
  cut -d' ' -f2 ed25519.pub | base64 -d | tail -c 32
  printf '\0\0\0\004ssh:'; } |
  base64 -w0 | sed 's/^/sk-ssh-ed25519@openssh.com /' > sk-ed25519.pub
{ printf '\0\0\0\042sk-ecdsa-sha2-nistp256@openssh.com\0\0\0\010nistp256\0\0\0\101'
  cut -d' ' -f2 ecdsa256.pub | base64 -d | tail -c 65
  printf '\0\0\0\004ssh:'; } |
  base64 -w0 | sed 's/^/sk-ecdsa-sha2-nistp256@openssh.com /' > sk-ecdsa256.pub

# Keys that must be refused for their size.
ssh-keygen -q -t rsa -b 1024 -N '' -C '' -f small && rm small && mv small.pub rsa1024.pub
{ printf '\0\0\0\007ssh-rsa\0\0\0\003\001\000\001\0\0\004\002\0\377'
  head -c 1024 /dev/zero | tr '\0' '\377'; } | base64 -w0 | sed 's/^/ssh-rsa /' > rsa8200.pub

# Certificates: for a host by each kind of authority, for users with each type of key.
for type in ed25519 ecdsa rsa; do
  ssh-keygen -q -t $type -N '' -C "$type authority" -f ca-$type
done
certify() { # name authority key arguments...
  name=$1 authority=$2 key=$3
  shift 3
  cp "$key.pub" "cert.pub"
  ssh-keygen -q -s "$authority" -I "$name id" -z 7 "$@" cert.pub
  rm cert.pub && mv cert-cert.pub "$name-cert.pub"
}
validity='20200101000000Z:20400101000000Z'
for type in ed25519 ecdsa; do
  certify host-by-$type ca-$type ed25519 -h -n host.example,10.1.2.3 -V $validity
done
certify host-by-rsa ca-rsa ed25519 -h -n host.example -V $validity -t rsa-sha2-512
certify host-by-rsa256 ca-rsa ed25519 -h -n host.example -V $validity -t rsa-sha2-256
certify host-by-rsa-sha1 ca-rsa ed25519 -h -n host.example -V $validity -t ssh-rsa
certify host-any ca-ed25519 ed25519 -h
certify host-option ca-ed25519 ed25519 -h -n host.example -O critical:strange@example.com=1
for key in ed25519 ecdsa256 ecdsa384 ecdsa521 rsa sk-ed25519 sk-ecdsa256; do
  certify $key ca-ed25519 $key -n alice,bob -V $validity \
    -O force-command=/bin/true -O source-address=10.0.0.0/8
done
certify user-any ca-ed25519 ed25519
certify user-option ca-ed25519 ed25519 -n alice -O critical:strange@example.com=1
rm ca-ed25519 ca-ecdsa ca-rsa

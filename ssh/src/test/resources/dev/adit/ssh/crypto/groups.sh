#!/bin/sh
# Makes groups.properties with OpenSSL: the primes of the MODP groups of RFC 3526.
# Usage: sh groups.sh > groups.properties
for bits in 2048 3072 4096 6144 8192; do
  openssl genpkey -genparam -algorithm DH -pkeyopt group:modp_$bits 2>/dev/null |
    openssl asn1parse | sed -nE "s/.*prim: INTEGER *:(F{16}.*)/modp$bits=\1/p"
done

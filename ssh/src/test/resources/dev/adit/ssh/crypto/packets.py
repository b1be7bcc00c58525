#!/usr/bin/python3
"""Makes packets.properties: packet streams sealed by AsyncSSH's packet layer.

Debian's python3-asyncssh 2.10.1: /usr/bin/python3 packets.py > packets.properties
For each cipher and MAC: four packets in a row, of 1, 16, 100 and 700 bytes of payload, the first
with sequence number 4294967294, so that the number runs over.
"""
import hashlib
import warnings

warnings.simplefilter("ignore")
from asyncssh.encryption import get_encryption, get_encryption_params  # noqa: E402

FIRST_SEQUENCE = 0xFFFFFFFE
SIZES = (1, 16, 100, 700)
AEADS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "chacha20-poly1305@openssh.com")
CTRS = ("aes128-ctr", "aes192-ctr", "aes256-ctr")
MACS = (
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
)


def stretch(seed, length):
    return hashlib.shake_256(seed.encode()).digest(length)


def record(cipher, mac):
    name = cipher + ("+" + mac if mac else "")
    key_size, iv_size, block, mac_key_size, _, etm = get_encryption_params(
        cipher.encode(), mac.encode()
    )
    key, iv = stretch(name + " key", key_size), stretch(name + " iv", iv_size)
    mac_key = stretch(name + " mac", mac_key_size)
    sealer = get_encryption(cipher.encode(), key, iv, mac.encode(), mac_key, etm)
    block = max(8, block)
    print(f"{name}.key={key.hex()}")
    print(f"{name}.iv={iv.hex()}")
    print(f"{name}.mac={mac_key.hex()}")
    for i, size in enumerate(SIZES):
        payload = stretch(f"{name} payload {i}", size)
        pad = -(1 + size + (0 if etm else 4)) % block
        if pad < 4:
            pad += block
        body = bytes([pad]) + payload + stretch(f"{name} padding {i}", pad)
        length = len(body).to_bytes(4, "big")
        packet, tag = sealer.encrypt_packet((FIRST_SEQUENCE + i) & 0xFFFFFFFF, length, body)
        print(f"{name}.plain{i}={(length + body).hex()}")
        print(f"{name}.sealed{i}={(packet + tag).hex()}")


for aead in AEADS:
    record(aead, "")
for ctr in CTRS:
    for m in MACS:
        record(ctr, m)

"""Paramiko; see README.md."""

import base64
import hashlib
import os
import socket
import sys
import threading

import paramiko

port, user, key_file, host_key_file, target = sys.argv[1:]
kind, blob = open(host_key_file).read().split()[:2]

transport = paramiko.Transport(socket.create_connection(("127.0.0.1", int(port))))
# Paramiko of Debian 12 has no strict key exchange; only ciphers that Terrapin can't touch are left.
transport.get_security_options().ciphers = ("aes128-ctr", "aes256-ctr")
transport.get_security_options().digests = ("hmac-sha2-256", "hmac-sha2-512")
transport.start_client(timeout=20)
host_key = transport.get_remote_server_key()
assert host_key.get_name() == kind and host_key.asbytes() == base64.b64decode(blob), "host key"
transport.auth_publickey(user, paramiko.Ed25519Key.from_private_key_file(key_file))

data = os.urandom(4 << 20)
channel = transport.open_channel("direct-tcpip", ("127.0.0.1", int(target)), ("127.0.0.1", 1))


def send():
    channel.sendall(data)
    channel.shutdown_write()


threading.Thread(target=send).start()
echoed = hashlib.sha256()
while piece := channel.recv(65536):
    echoed.update(piece)
print("sent", hashlib.sha256(data).hexdigest())
print("echoed", echoed.hexdigest())

remote = transport.request_port_forward("127.0.0.1", 0)
print("listening", remote, flush=True)
channel = transport.accept(20)
received = hashlib.sha256()
while piece := channel.recv(65536):
    received.update(piece)
channel.sendall(received.hexdigest().encode())
channel.close()
transport.cancel_port_forward("127.0.0.1", remote)
print("done")
transport.close()

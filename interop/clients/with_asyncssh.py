"""AsyncSSH; see README.md."""

import asyncio
import hashlib
import os
import sys

import asyncssh

port, user, key_file, host_key_file, target = sys.argv[1:]


async def send(writer, data):
    writer.write(data)
    writer.write_eof()
    await writer.drain()


async def digest(reader):
    received = hashlib.sha256()
    while piece := await reader.read(65536):
        received.update(piece)
    return received.hexdigest()


async def main():
    known = asyncssh.import_known_hosts("* " + open(host_key_file).read())
    async with asyncssh.connect(
        "127.0.0.1", int(port), username=user, client_keys=[key_file], known_hosts=known,
        agent_path=None, config=None,
    ) as connection:
        data = os.urandom(4 << 20)
        reader, writer = await connection.open_connection("127.0.0.1", int(target))
        sending = asyncio.create_task(send(writer, data))
        print("sent", hashlib.sha256(data).hexdigest())
        print("echoed", await digest(reader))
        await sending

        served = asyncio.get_running_loop().create_future()

        def accept(host, origin):
            async def serve(reader, writer):
                writer.write((await digest(reader)).encode())
                writer.close()
                await writer.wait_closed()
                served.set_result(None)

            return serve

        listener = await connection.start_server(accept, "127.0.0.1", 0)
        print("listening", listener.get_port(), flush=True)
        await asyncio.wait_for(served, 20)
        listener.close()
        await listener.wait_closed()
        print("done")


asyncio.run(main())

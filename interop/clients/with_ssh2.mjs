// npm's ssh2; see README.md.
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import ssh2 from 'ssh2';

const [port, user, keyFile, hostKeyFile, target] = process.argv.slice(2);
const hostKey = Buffer.from(readFileSync(hostKeyFile, 'utf8').split(' ')[1], 'base64');
const sha256 = (data) => createHash('sha256').update(data).digest('hex');

// Not "for await", which destroys the stream at its end: we still have to write.
function readAll(stream) {
  const pieces = [];
  stream.on('data', (piece) => pieces.push(piece));
  return new Promise((resolve) => stream.on('end', () => resolve(Buffer.concat(pieces))));
}

const client = new ssh2.Client();
client.on('error', (error) => {
  console.error(error);
  process.exit(1);
});
client.on('tcp connection', async (_, accept) => {
  const channel = accept();
  channel.end(sha256(await readAll(channel)));
  channel.on('close', () => {
    console.log('done');
    client.end();
  });
});
client.on('ready', () => {
  client.forwardOut('127.0.0.1', 1, '127.0.0.1', Number(target), async (error, channel) => {
    if (error) throw error;
    const data = randomBytes(4 << 20);
    channel.end(data);
    console.log('sent', sha256(data));
    console.log('echoed', sha256(await readAll(channel)));
    client.forwardIn('127.0.0.1', 0, (error, listening) => {
      if (error) throw error;
      console.log('listening', listening);
    });
  });
});
client.connect({
  host: '127.0.0.1',
  port: Number(port),
  username: user,
  privateKey: readFileSync(keyFile),
  hostVerifier: (key) => key.equals(hostKey),
});

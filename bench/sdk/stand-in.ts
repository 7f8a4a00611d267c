// A service that keeps nothing: it counts what it is sent and makes what it is asked for, so that a message of any size needs
// no disk. Prints its port. node stand-in.ts {"cert":…,"key":…,"ca":…,"sizeBytes":…,"chunkBytes":…}
import { readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

const { cert, key, ca, sizeBytes, chunkBytes } = JSON.parse(process.argv[2] ?? '') as {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  readonly sizeBytes: number;
  readonly chunkBytes: number;
};
const messageId = '20260101000000000001_ABCDEF';
const totalChunks = Math.ceil(sizeBytes / chunkBytes);
const block = Buffer.alloc(1024 * 1024, 'what a large file is made of\n');
const warmUpBytes = 1000;
let received = 0;

const server = createServer(
  {
    cert: readFileSync(cert),
    key: readFileSync(key),
    ca: readFileSync(ca),
    requestCert: true,
    rejectUnauthorized: true,
  },
  (request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    if (request.method === 'GET') {
      void answerChunk(Number(/\/inbox\/[^/]+\/(\d+)$/.exec(path)?.[1] ?? 1), response);
      return;
    }
    request.on('data', (piece: Buffer) => {
      received += piece.length;
    });
    request.on('end', () => answerPost(path, response));
  },
);
server.requestTimeout = 0;

function answerPost(path: string, response: ServerResponse): void {
  const number = Number(/\/outbox\/[^/]+\/(\d+)$/.exec(path)?.[1] ?? 0);
  // With the last chunk every byte has come, and those of the message that warmed the sender up.
  if (number === totalChunks && received !== sizeBytes + warmUpBytes) {
    response.writeHead(500).end();
    return;
  }
  const isHandshake = !path.includes('/outbox');
  response.writeHead(isHandshake ? 200 : 202, {
    'content-type': 'application/json',
    ...(isHandshake ? { 'openmesh-idempotency-key': 'accepted' } : {}),
  });
  response.end(isHandshake ? '{}' : JSON.stringify({ message_id: messageId }));
}

async function answerChunk(chunk: number, response: ServerResponse): Promise<void> {
  const length = Math.min(chunkBytes, sizeBytes - (chunk - 1) * chunkBytes);
  response.writeHead(206, {
    'content-type': 'application/octet-stream',
    'content-length': length,
    'mex-messageid': messageId,
    'mex-messagetype': 'DATA',
    'mex-chunk-range': `${chunk}:${totalChunks}`,
  });
  for (let left = length; left > 0; ) {
    const piece = block.subarray(0, Math.min(left, block.length));
    left -= piece.length;
    await new Promise((resolve) => response.write(piece, resolve));
  }
  response.end();
}

server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));

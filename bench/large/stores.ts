import type { ClientAnswer, ClientConnection } from '../client-connection.ts';
import type { MailboxPair } from '../lifecycle/operations.ts';
import { TokenMaker } from '../token.ts';

/** One chunk of the message: its number from 1, and where its bytes lie. */
export interface Chunk {
  readonly number: number;
  readonly position: number;
  readonly bytes: number;
}

/** How a kind of server is asked to take and give one chunk. Each call rejects on a wrong answer. */
export interface ChunkStore {
  readonly name: string;
  upload(connection: ClientConnection, chunk: Chunk): Promise<void>;
  download(connection: ClientConnection, chunk: Chunk): Promise<void>;
}

/** Cuts `bytes` into chunks of `chunkBytes`, the last one shorter. */
export function cutIntoChunks(bytes: number, chunkBytes: number): Chunk[] {
  return Array.from({ length: Math.ceil(bytes / chunkBytes) }, (_, index) => {
    const position = index * chunkBytes;
    return { number: index + 1, position, bytes: Math.min(chunkBytes, bytes - position) };
  });
}

/** nginx: each chunk is a file, with the number of the message's chunks in its name. */
export function nginxStore(chunkCount: number): ChunkStore {
  const fileHead = (method: string, chunk: Chunk): string =>
    `${method} /chunk-${chunk.number}-of-${chunkCount} HTTP/1.1\r\nhost: localhost\r\n`;
  return {
    name: 'nginx',
    upload: async (connection, chunk) => {
      check(await connection.upload(fileHead('PUT', chunk), chunk.position, chunk.bytes), [201, 204]);
    },
    download: async (connection, chunk) => {
      check(await connection.download(fileHead('GET', chunk), chunk.position, chunk.bytes), [200]);
    },
  };
}

/** The exchange: the chunks are one message, whose id the first chunk's answer gives. */
export function exchangeStore(
  name: 'exchange' | 'baseline',
  pair: MailboxPair,
  sharedKey: string,
  chunkCount: number,
): ChunkStore {
  const accept = 'host: localhost\r\naccept: application/vnd.mesh.v2+json\r\n';
  let messageId = '';
  // Made when they are used: they are few, cost microseconds, and a run on a slow disk may outlast two hours.
  const authorization = (caller: MailboxPair['sender']): string =>
    `authorization: ${new TokenMaker(sharedKey, Date.now()).make(caller)}\r\n`;
  return {
    name,
    upload: async (connection, chunk) => {
      const path = chunk.number === 1 ? '' : `/${messageId}/${chunk.number}`;
      const head =
        `POST /messageexchange/${pair.sender.mailbox}/outbox${path} HTTP/1.1\r\n${accept}` +
        `content-type: application/octet-stream\r\nmex-chunk-range: ${chunk.number}:${chunkCount}\r\n` +
        `mex-from: ${pair.sender.mailbox}\r\nmex-to: ${pair.recipient.mailbox}\r\nmex-workflowid: BENCH_WORKFLOW\r\n` +
        `mex-filename: bench.dat\r\n${authorization(pair.sender)}`;
      const answer = check(await connection.upload(head, chunk.position, chunk.bytes), [202]);
      if (chunk.number === 1) messageId = (JSON.parse(answer.text) as { readonly message_id: string }).message_id;
    },
    download: async (connection, chunk) => {
      const head =
        `GET /messageexchange/${pair.recipient.mailbox}/inbox/${messageId}/${chunk.number} HTTP/1.1\r\n${accept}` +
        authorization(pair.recipient);
      const expected = chunk.number === chunkCount ? 200 : 206;
      check(await connection.download(head, chunk.position, chunk.bytes), [expected]);
    },
  };
}

function check(answer: ClientAnswer, statuses: readonly number[]): ClientAnswer {
  if (!statuses.includes(answer.status)) {
    throw new Error(
      `the answer was ${answer.status} instead of ${statuses.join(' or ')}: ${answer.text.slice(0, 300)}`,
    );
  }
  return answer;
}

import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ExchangeFolder } from '../../kit/exchange-folder.ts';
import { ExchangeProcess } from '../../kit/exchange-process.ts';
import { type MeshClient, sentIdOf } from '../../kit/mesh-client.ts';
import { type TemporaryFolder, temporaryFolder } from '../../kit/temporary-folder.ts';

const mebibyte = 1024 * 1024;
/** What a request may cost at its worst, far above what it does and far below what an attacker would want. */
const growthMebibytesMax = 160;

describe.runIf(process.platform === 'linux')('the memory of the server does not follow what a caller sends', () => {
  let home: TemporaryFolder;
  let server: ExchangeProcess;
  let client: MeshClient;
  beforeAll(async () => {
    home = await temporaryFolder('memory');
    const folder = new ExchangeFolder(home.path);
    folder.addMailboxes(['ALICE']);
    server = await ExchangeProcess.start({ env: { ...folder.env, OPENMESH_HEADER_BYTES_MAX: '65536' } });
    client = folder.client(server.url, 'ALICE');
    // What is built at first use is not growth.
    for (let time = 0; time < 200; time += 1) await sendSmall();
  });
  afterAll(async () => {
    client.close();
    process.kill(server.pid, 'SIGKILL');
    await server.exited;
    await home.remove();
  });

  /** In MiB: what is resident now, and the most that was since the last test began. */
  const memory = (field: 'VmRSS' | 'VmHWM'): number => {
    const status = readFileSync(`/proc/${server.pid}/status`, 'latin1');
    return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024;
  };
  let beforeMebibytes = 0;
  beforeEach(() => {
    writeFileSync(`/proc/${server.pid}/clear_refs`, '5');
    beforeMebibytes = memory('VmRSS');
  });
  const expectFlat = (): void => expect(memory('VmHWM') - beforeMebibytes).toBeLessThan(growthMebibytesMax);

  async function sendSmall(): Promise<string> {
    return sentIdOf(await client.send({ to: 'ALICE', workflowId: 'WF' }, 'x'));
  }

  async function sendGzip(size: number): Promise<string> {
    const pieces: Buffer[] = [];
    await pipeline(zeros(size), createGzip({ level: 9 }), async (source: AsyncIterable<Buffer>) => {
      for await (const piece of source) pieces.push(piece);
    });
    const headers = { 'Content-Encoding': 'gzip' };
    return sentIdOf(await client.send({ to: 'ALICE', workflowId: 'WF' }, Buffer.concat(pieces), { headers }));
  }

  /** A connection on which the head of a send was written, with this header to say how its body comes. */
  async function openSend(framing: string): Promise<Socket> {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    const lines = [
      'host: x',
      'mex-to: ALICE',
      'mex-workflowid: WF',
      `authorization: ${client.authorization()}`,
      framing,
    ];
    socket.write(`POST /messageexchange/ALICE/outbox HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    return socket;
  }

  /** Reads an unpacked download to its end, or gives it up after so many bytes; answers how many came. */
  async function drain(id: string, bytesMax = Number.POSITIVE_INFINITY): Promise<number> {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    const token = client.authorization();
    const head = `GET /messageexchange/ALICE/inbox/${id} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n`;
    socket.write(`${head}authorization: ${token}\r\n\r\n`);
    let count = 0;
    for await (const piece of socket as AsyncIterable<Buffer>) {
      count += piece.length;
      if (count > bytesMax) break;
    }
    socket.destroy();
    return count;
  }

  it('when many bodies come in transfer chunks of one byte, none of them ever whole', async () => {
    const piece = '1\r\nx\r\n'.repeat(32_000);
    const sockets = await Promise.all(Array.from({ length: 32 }, () => openSend('transfer-encoding: chunked')));
    for (const socket of sockets) await new Promise((resolve) => void socket.write(piece, resolve));
    expect((await client.send({ to: 'ALICE', workflowId: 'WF' }, bytes(1000))).status).toBe(202);
    expectFlat();
    for (const socket of sockets) socket.destroy();
  });

  it('when a message comes in thousands of chunks of one byte', async () => {
    const chunks = 2000;
    const id = sentIdOf(await client.send({ to: 'ALICE', workflowId: 'WF', chunkRange: `1:${chunks}` }, 'x'));
    const numbers = Array.from({ length: chunks - 1 }, (_each, at) => at + 2);
    const worker = async (): Promise<void> => {
      for (let number = numbers.pop(); number !== undefined; number = numbers.pop())
        expect((await client.sendChunk(id, number, chunks, 'x')).status).toBe(202);
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    expect((await client.downloadChunk(id, chunks)).status).toBe(200);
    expectFlat();
  });

  it('when requests carry as many and as large headers as they may', async () => {
    const many = Object.fromEntries(Array.from({ length: 900 }, (_each, at) => [`x-header-${at}`, 'v'.repeat(40)]));
    for (let round = 0; round < 20; round += 1) {
      const replies = await Promise.all(Array.from({ length: 8 }, () => client.count({ headers: many })));
      for (const { status } of replies) expect(status).toBe(200);
    }
    expectFlat();
  });

  it('when thousands are refused within a minute, each for another mailbox and with as large headers as it may', async () => {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    const requests = 5000;
    const refused = countAnswers(socket, 'HTTP/1.1 403 ', requests);
    const filler = `x-filler: ${'f'.repeat(60_000)}`;
    for (let n = 0; n < requests; n += 1) {
      const mailbox = `NOBODYS-MAILBOX-${n}`;
      const authorization = client.authorization({ mailboxId: mailbox });
      const lines = [
        `GET /messageexchange/${mailbox}/inbox HTTP/1.1`,
        'host: x',
        filler,
        `authorization: ${authorization}`,
      ];
      if (!socket.write(`${lines.join('\r\n')}\r\n\r\n`)) await once(socket, 'drain');
    }
    expect(await refused).toBe(requests);
    expectFlat();
    socket.destroy();
  });

  it('when lengths are declared that nobody could send', async () => {
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        const socket = await openSend('content-length: 9007199254740991');
        const [answer] = (await once(socket, 'data')) as [Buffer];
        expect(answer.toString('latin1')).toMatch(/^HTTP\/1\.1 413 /);
        socket.destroy();
      }),
    );
    expectFlat();
  });

  it('when half a megabyte unpacks to half a gigabyte on its way to a caller that takes no gzip', async () => {
    const id = await sendGzip(512 * mebibyte);
    expect(await drain(id)).toBeGreaterThan(512 * mebibyte);
    expectFlat();
  });

  it('when many callers fetch such a message at once and stop reading', async () => {
    const [file, inline] = [await sendGzip(512 * mebibyte), await sendGzip(24 * mebibyte)];
    await Promise.all(Array.from({ length: 16 }, () => drain(file, mebibyte)));
    await Promise.all(Array.from({ length: 32 }, () => drain(inline, mebibyte)));
    expectFlat();
    expect((await client.count()).status).toBe(200);
  });
});

/** Resolves to how often a connection said something: at the wanted number, or when it ends. */
function countAnswers(socket: Socket, saying: string, wanted: number): Promise<number> {
  let count = 0;
  let tail = '';
  return new Promise((resolve) => {
    socket.on('data', (piece: Buffer) => {
      const text = tail + piece.toString('latin1');
      count += text.split(saying).length - 1;
      tail = text.slice(1 - saying.length);
      if (count >= wanted) resolve(count);
    });
    socket.once('close', () => resolve(count));
  });
}

function zeros(size: number): Readable {
  const block = Buffer.alloc(mebibyte);
  return Readable.from(
    (function* blocks() {
      for (let left = size; left > 0; left -= block.length) yield block;
    })(),
  );
}

async function* bytes(count: number): AsyncGenerator<Uint8Array> {
  const one = new Uint8Array(1);
  for (let sent = 0; sent < count; sent += 1) yield one;
}

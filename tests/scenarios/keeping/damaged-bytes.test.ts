import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type FileSystem, nodeFileSystem, type OpenFile } from '@openmesh/exchange/store/disk/file-system.ts';
import { afterEach, describe, expect, it } from 'vitest';
import { type MeshReply, sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';

const blockBytes = 4 * 1024 * 1024;
const size = 3 * blockBytes + 1000;
const payload = Buffer.alloc(size, 'not all the same. ');

let exchange: ExchangeInProcess | undefined;
afterEach(async () => {
  await exchange?.stop();
  exchange = undefined;
});

async function withMessage(
  body: string | Buffer,
  encryption: 'on' | 'off',
  fileSystem?: FileSystem,
): Promise<[ExchangeInProcess, string]> {
  const settings = { OPENMESH_BODY_ENCRYPTION: encryption };
  exchange = await ExchangeInProcess.start({
    tls: 'off',
    settings,
    ...(fileSystem === undefined ? {} : { fileSystem }),
  });
  const reply = await exchange.client('X26ABC1').send({ to: 'X26ABC2', workflowId: 'WF' }, body);
  return [exchange, sentIdOf(reply)];
}

/** The only file of the body store. */
function bodyFile({ bodiesFolder }: ExchangeInProcess): string {
  const entries = readdirSync(bodiesFolder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  expect(files).toHaveLength(1);
  return files[0] ?? '';
}

function flipBit(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}

function download(from: ExchangeInProcess, id: string, gzip = false): Promise<MeshReply> {
  return from.client('X26ABC2').download(id, { headers: { 'Accept-Encoding': gzip ? 'gzip' : null } });
}

async function damages(from: ExchangeInProcess, id: string): Promise<string[]> {
  return (await from.timeline(id)).filter(({ kind }) => kind === 'bytes-damaged').map(({ detail }) => detail);
}

describe.each(['on', 'off'] as const)('bytes changed at rest, encryption %s', (encryption) => {
  it('in the first block: the answer is an error before any byte, and the timeline names the block', async () => {
    const [at, id] = await withMessage(payload, encryption);
    flipBit(bodyFile(at), 1000);
    const reply = await download(at, id);
    expect(reply.status).toBe(500);
    expect(reply.body.toString()).toContain('An internal error occurred');
    expect(await damages(at, id)).toEqual(['corrupt: chunk 1, block 1']);
  });

  it.each([false, true])(
    'in the third block: the connection ends before the body is whole (gzip: %s)',
    async (gzip) => {
      const [at, id] = await withMessage(payload, encryption);
      flipBit(bodyFile(at), 2 * blockBytes + 5);
      await expect(download(at, id, gzip)).rejects.toThrow();
      expect(await damages(at, id)).toEqual(['corrupt: chunk 1, block 3']);
    },
  );

  it('in the last, short block: the connection ends before the body is whole', async () => {
    const [at, id] = await withMessage(payload, encryption);
    flipBit(bodyFile(at), size - 1);
    await expect(download(at, id)).rejects.toThrow();
    expect(await damages(at, id)).toEqual(['corrupt: chunk 1, block 4']);
  });

  it('by a file cut short: never served whole, and named', async () => {
    const [at, id] = await withMessage(payload, encryption);
    truncateSync(bodyFile(at), blockBytes + 7);
    await expect(download(at, id)).rejects.toThrow();
    expect(await damages(at, id)).toEqual([expect.stringMatching(/^corrupt: chunk 1, block 2$/)]);
  });

  it('by a file that is gone: an error before any byte, and named', async () => {
    const [at, id] = await withMessage(payload, encryption);
    rmSync(bodyFile(at));
    expect((await download(at, id)).status).toBe(500);
    expect(await damages(at, id)).toEqual(['missing: chunk 1']);
  });

  it('in the ledger: the same for a small body', async () => {
    const [at, id] = await withMessage('a small payload', encryption);
    const ledger = new DatabaseSync(at.ledgerFile);
    const changed = ledger.prepare('update payload set inline_body = ? where payload_id = ?');
    changed.run(Buffer.from('a small paymoad'), id);
    ledger.close();
    expect((await download(at, id)).status).toBe(500);
    expect(await damages(at, id)).toEqual(['corrupt: chunk 1, block 1']);
  });

  it('does not touch other messages, nor take the damaged one out of the inbox', async () => {
    const [at, id] = await withMessage(payload, encryption);
    flipBit(bodyFile(at), 0);
    const other = sentIdOf(await at.client('X26ABC1').send({ to: 'X26ABC2', workflowId: 'WF' }, payload));
    expect((await download(at, id)).status).toBe(500);
    const whole = await download(at, other);
    expect([whole.status, whole.body.equals(payload)]).toEqual([200, true]);
    expect((await at.client('X26ABC2').list()).body.toString()).toContain(id);
  });
});

describe('a disk that fails to read', () => {
  it('answers 503 before any byte, says when to retry, and the same token serves the retry', async () => {
    let failures = 0;
    const [at, id] = await withMessage(
      payload,
      'on',
      readsFailing(() => failures-- > 0),
    );
    const client = at.client('X26ABC2');
    const authorization = client.authorization();
    failures = 1;
    const failed = await client.download(id, { authorization });
    expect([failed.status, failed.headers['retry-after']]).toEqual([503, expect.stringMatching(/^\d+$/)]);
    const retried = await client.download(id, { authorization });
    expect([retried.status, retried.body.equals(payload)]).toEqual([200, true]);
    expect((await client.download(id, { authorization })).status).toBe(403);
  });
});

/** The real file system, whose reads fail while asked to. */
function readsFailing(fails: () => boolean): FileSystem {
  return {
    ...nodeFileSystem,
    async open(path): Promise<OpenFile> {
      const real = await nodeFileSystem.open(path);
      return {
        write: (bytes, position) => real.write(bytes, position),
        read(into, position) {
          if (fails()) return Promise.reject(Object.assign(new Error('the medium failed'), { code: 'EIO' }));
          return real.read(into, position);
        },
        sync: () => real.sync(),
        close: () => real.close(),
      };
    },
  };
}

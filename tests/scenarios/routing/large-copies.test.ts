import { createHash, randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { type FileSystem, nodeFileSystem } from '@openmesh/exchange/store/disk/file-system.ts';
import { expect, it } from 'vitest';
import { guardLeaks } from '../../kit/leak-guard.ts';
import { listedIdsOf, sentIdOf } from '../../kit/mesh-client.ts';
import { ruleOf } from '../../kit/routing-cases.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';

guardLeaks();

const mebibyte = 1024 * 1024;
const chunks = Array.from({ length: 3 }, () => randomBytes(16 * mebibyte));
const sizeBytes = chunks.length * 16 * mebibyte;
const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
/** A few pages for each of the rows of a message: far less than one block of a payload, however large that is. */
const ledgerBytesForACopy = 128 * 1024;
const copyTargets = ['COPY1', 'COPY2', 'COPY3', 'COPY4'];

/** The real disk, with what is handed to it counted. */
function countingDisk() {
  const count = { written: 0, files: 0 };
  const fileSystem: FileSystem = {
    ...nodeFileSystem,
    async create(path) {
      count.files += 1;
      const file = await nodeFileSystem.create(path);
      return {
        read: (into, position) => file.read(into, position),
        sync: () => file.sync(),
        close: () => file.close(),
        async write(bytes, position) {
          const taken = await file.write(bytes, position);
          count.written += taken;
          return taken;
        },
      };
    },
  };
  return { count, fileSystem };
}

function ledgerBytes({ ledgerFile }: ExchangeInProcess): number {
  return statSync(ledgerFile).size + statSync(`${ledgerFile}-wal`).size;
}

/** Sends all chunks; what the last one, which routes the message, cost the ledger in bytes of its files. */
async function send(
  exchange: ExchangeInProcess,
  to: string,
): Promise<{ readonly id: string; readonly grewBytes: number }> {
  const client = exchange.client('SENDER');
  const [first = Buffer.alloc(0), ...rest] = chunks;
  const range = (number: number) => ({ 'Mex-Chunk-Range': `${number}:${chunks.length}` });
  const id = sentIdOf(await client.send({ to, workflowId: 'WF' }, first, { headers: range(1) }));
  let beforeBytes = 0;
  for (const [index, body] of rest.entries()) {
    beforeBytes = ledgerBytes(exchange);
    const reply = await client.request('POST', `/outbox/${id}/${index + 2}`, { headers: range(index + 2), body });
    expect(reply.status).toBe(202);
  }
  return { id, grewBytes: ledgerBytes(exchange) - beforeBytes };
}

it('a copy or a redirect of a large message is rows of the ledger, and not a byte of its body', async () => {
  const { count, fileSystem } = countingDisk();
  const ids = ['SENDER', 'PLAIN', 'COPIED', 'MOVED', 'TARGET', ...copyTargets];
  await using exchange = await ExchangeInProcess.start({
    tls: 'off',
    fileSystem,
    seeds: { mailboxes: ids.map((id) => ({ id })) },
  });
  const nowMs = exchange.clock.nowMs();
  await exchange.change({
    rules: [
      ...copyTargets.map((to, n) => ruleOf({ id: `c${n}`, action: 'copy', to, ifRecipient: 'COPIED' }, nowMs)),
      ruleOf({ id: 'm', action: 'redirect', to: 'TARGET', ifRecipient: 'MOVED' }, nowMs),
    ],
  });

  const plain = await send(exchange, 'PLAIN');
  const alone = { ...count };
  expect(alone.written).toBeGreaterThanOrEqual(sizeBytes);

  const copied = await send(exchange, 'COPIED');
  expect({ written: count.written - alone.written, files: count.files - alone.files }).toEqual(alone);
  expect(copied.grewBytes).toBeLessThan(plain.grewBytes + copyTargets.length * ledgerBytesForACopy);

  await send(exchange, 'MOVED');
  expect({ written: count.written - 2 * alone.written, files: count.files - 2 * alone.files }).toEqual(alone);

  for (const mailbox of ['COPIED', 'TARGET', ...copyTargets]) {
    const client = exchange.client(mailbox);
    const [id = ''] = listedIdsOf(await client.list());
    for (const [index, chunk] of chunks.entries()) {
      const { body } = await client.downloadChunk(id, index + 1);
      expect(digestOf(body), `${mailbox}, chunk ${index + 1}`).toBe(digestOf(chunk));
    }
    await client.acknowledge(id);
  }
  // Nothing of it goes while another still has it to collect: the plain one is not collected yet, and says so.
  expect(listedIdsOf(await exchange.client('PLAIN').list())).toEqual([plain.id]);
});

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from 'vitest';
import { sentIdOf } from '../../kit/mesh-client.ts';
import { ExchangeInProcess } from '../../kit/running-exchange.ts';

const mark = 'PLAINTEXTMARK';
const blockBytes = 4 * 1024 * 1024;
const small = Buffer.from(`small ${mark} body`);
const middle = Buffer.alloc(40_000, `${mark} middle `);
const large = Buffer.alloc(2 * blockBytes + 1234, `${mark} large `);
const texts = { 'Mex-Subject': `${mark} subject`, 'Mex-FileName': `${mark}.txt`, 'Mex-LocalID': `${mark}-local` };

let exchange: ExchangeInProcess | undefined;
afterEach(async () => {
  await exchange?.stop();
  exchange = undefined;
});

async function start(settings: Record<string, string> = {}): Promise<ExchangeInProcess> {
  exchange = await ExchangeInProcess.start({ tls: 'off', settings });
  return exchange;
}

async function send(from: ExchangeInProcess, body: Buffer, chunkRange?: string): Promise<string> {
  const to = { to: 'X26ABC2', workflowId: 'WF', ...(chunkRange === undefined ? {} : { chunkRange }) };
  return sentIdOf(await from.client('X26ABC1').send(to, body, { headers: texts }));
}

/** A message of three chunks, the second of them sent twice. */
async function sendInChunks(from: ExchangeInProcess): Promise<string> {
  const id = await send(from, small, '1:3');
  const sender = from.client('X26ABC1');
  const replaced = Buffer.alloc(50_000, `${mark} replaced `);
  expect((await sender.sendChunk(id, 2, 3, replaced)).status).toBe(202);
  expect((await sender.sendChunk(id, 2, 3, middle)).status).toBe(202);
  expect((await sender.sendChunk(id, 3, 3, large)).status).toBe(202);
  return id;
}

async function downloaded(from: ExchangeInProcess, id: string, chunk = 1): Promise<Buffer> {
  const reply = await from.client('X26ABC2').downloadChunk(id, chunk, { headers: { 'Accept-Encoding': null } });
  expect([200, 206]).toContain(reply.status);
  return reply.body;
}

async function damages(from: ExchangeInProcess, id: string): Promise<string[]> {
  return (await from.timeline(id)).filter(({ kind }) => kind === 'bytes-damaged').map(({ detail }) => detail);
}

function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Files of the exchange, its log included, in which the text lies readable. */
function filesWith({ dataFolder }: ExchangeInProcess, text: string): string[] {
  return filesIn(dataFolder).filter((file) => readFileSync(file).includes(text));
}

function inLedger<R>({ ledgerFile }: ExchangeInProcess, work: (db: DatabaseSync) => R): R {
  const db = new DatabaseSync(ledgerFile);
  try {
    return work(db);
  } finally {
    db.close();
  }
}

describe('encrypted bodies', () => {
  it('are nowhere readable in the files, nor are their texts, and come back whole, also after a restart', async () => {
    const at = await start();
    const [one, two, chunked] = [await send(at, small), await send(at, large), await sendInChunks(at)];
    for (let turn = 0; turn < 2; turn += 1) {
      expect(filesIn(at.dataFolder).length).toBeGreaterThan(3);
      expect(filesWith(at, mark)).toEqual([]);
      expect((await downloaded(at, one)).equals(small)).toBe(true);
      expect((await downloaded(at, two)).equals(large)).toBe(true);
      expect((await downloaded(at, chunked, 1)).equals(small)).toBe(true);
      expect((await downloaded(at, chunked, 2)).equals(middle)).toBe(true);
      expect((await downloaded(at, chunked, 3)).equals(large)).toBe(true);
      await at.restart();
    }
  });

  it('are what keeps them from being read: without encryption the ledger and the body file show them', async () => {
    const at = await start({ OPENMESH_BODY_ENCRYPTION: 'off' });
    await send(at, small);
    await send(at, large);
    const files = filesWith(at, mark);
    expect(files.filter((file) => file.startsWith(at.bodiesFolder))).toHaveLength(1);
    expect(files.filter((file) => !file.startsWith(at.bodiesFolder)).length).toBeGreaterThan(0);
  });

  it('leave nothing that would confirm a guess: no digest of theirs is in the ledger', async () => {
    const at = await start();
    for (const body of [small, large]) await send(at, body);
    for (const body of [small, large]) {
      const digest = createHash('sha256').update(body).digest();
      expect(filesWith(at, digest.toString('hex'))).toEqual([]);
      expect(filesIn(at.dataFolder).filter((file) => readFileSync(file).includes(digest))).toEqual([]);
    }
  });

  it.each(['on', 'off'])(
    'are a fact of the message: begun %s, it is read and completed under the other',
    async (first) => {
      const settings: Record<string, string> = { OPENMESH_BODY_ENCRYPTION: first };
      const at = await start(settings);
      const whole = await send(at, large);
      const begun = await send(at, small, '1:2');
      settings['OPENMESH_BODY_ENCRYPTION'] = first === 'on' ? 'off' : 'on';
      await at.restart();
      expect((await at.client('X26ABC1').sendChunk(begun, 2, 2, middle)).status).toBe(202);
      expect((await downloaded(at, whole)).equals(large)).toBe(true);
      expect((await downloaded(at, begun, 1)).equals(small)).toBe(true);
      expect((await downloaded(at, begun, 2)).equals(middle)).toBe(true);
      expect(filesWith(at, mark).length).toBe(first === 'on' ? 0 : 3);
    },
  );

  it('are recognised when the last chunk comes again, and told from others', async () => {
    const at = await start();
    for (const last of [small, middle]) {
      const id = await send(at, middle, '1:2');
      const sender = at.client('X26ABC1');
      expect((await sender.sendChunk(id, 2, 2, last)).status).toBe(202);
      expect((await sender.sendChunk(id, 2, 2, last)).status).toBe(202);
      const other = Buffer.from(last);
      other[0] = 0;
      expect((await sender.sendChunk(id, 2, 2, other)).status).toBeGreaterThanOrEqual(400);
    }
  });

  it('are recognised when a send is repeated under its idempotency key, and told from others', async () => {
    const at = await start();
    const sender = at.client('X26ABC1');
    for (const [key, body] of [
      ['k1', small],
      ['k2', large],
    ] as const) {
      const again = () =>
        sender.send({ to: 'X26ABC2', workflowId: 'WF' }, body, { headers: { 'Idempotency-Key': key } });
      expect(sentIdOf(await again())).toBe(sentIdOf(await again()));
      const other = { headers: { 'Idempotency-Key': key } };
      const reply = await sender.send({ to: 'X26ABC2', workflowId: 'WF' }, Buffer.from('other'), other);
      expect(reply.status).toBeGreaterThanOrEqual(400);
    }
  });
});

describe('encrypted bodies that were moved', () => {
  it('to another message do not open there: body files', async () => {
    const at = await start();
    const [one, two] = [await send(at, large), await send(at, Buffer.alloc(large.length, 'x'))];
    const [first = '', second = ''] = filesIn(at.bodiesFolder);
    renameSync(first, `${first}-aside`);
    renameSync(second, first);
    renameSync(`${first}-aside`, second);
    for (const id of [one, two]) {
      expect((await at.client('X26ABC2').download(id)).status).toBe(500);
      expect(await damages(at, id)).toEqual(['corrupt: chunk 1, block 1']);
    }
  });

  it('to another message do not open there: the row’s bytes, and the bytes with their key', async () => {
    const at = await start();
    const [one, two] = [await send(at, small), await send(at, Buffer.alloc(small.length, 'x'))];
    const take = (columns: string) =>
      inLedger(at, (db) => {
        const from = `(select ${columns} from payload where payload_id = ?)`;
        db.prepare(`update payload set (${columns}) = ${from} where payload_id = ?`).run(two, one);
      });
    take('inline_body, block_digests');
    expect((await at.client('X26ABC2').download(one)).status).toBe(500);
    take('inline_body, block_digests, key_id, wrapped_key');
    expect((await at.client('X26ABC2').download(one)).status).toBe(500);
    expect(await damages(at, one)).toEqual(['corrupt: chunk 1, block 1', 'corrupt: chunk 1, key']);
    expect((await at.client('X26ABC2').download(two)).status).toBe(200);
  });

  it('to another chunk of their message do not open there, small or large', async () => {
    const at = await start();
    const id = await send(at, small, '1:4');
    const sender = at.client('X26ABC1');
    await sender.sendChunk(id, 2, 4, Buffer.from('another'));
    await sender.sendChunk(id, 3, 4, large);
    await sender.sendChunk(id, 4, 4, Buffer.alloc(large.length, 'y'));
    inLedger(at, (db) => {
      for (const [a, b] of [
        [1, 2],
        [3, 4],
      ] as const) {
        const change = db.prepare('update chunk set chunk_number = ? where payload_id = ? and chunk_number = ?');
        change.run(9, id, a);
        change.run(a, id, b);
        change.run(b, id, 9);
      }
    });
    for (const chunk of [1, 2, 3, 4]) expect((await at.client('X26ABC2').downloadChunk(id, chunk)).status).toBe(500);
    expect(await damages(at, id)).toHaveLength(4);
  });
});

describe('deleting a body', () => {
  it('destroys its key: neither row nor freed page has it, and a copy of the file opens for nobody', async () => {
    const at = await start();
    const ids = [await send(at, large), await send(at, small)];
    const kept = await send(at, middle);
    const keysOf = () =>
      inLedger(at, (db) => db.prepare('select payload_id as id, wrapped_key as key from payload order by 1').all());
    const before = keysOf().map((row) => String(row['key']));
    expect(before.every((key) => key.length > 60 && filesWith(at, key).length > 0)).toBe(true);
    const copy = readFileSync(
      filesIn(at.bodiesFolder).find((file) => readFileSync(file).length === large.length) ?? '',
    );
    const db = new DatabaseSync(at.ledgerFile);
    db.prepare('update payload set keep_until_ms = 0 where payload_id <> ?').run(kept);
    db.close();
    await at.rooms.clockwork.runAll();
    await at.restart();
    expect(keysOf()).toEqual([...ids].map((id) => ({ id, key: null })).concat([{ id: kept, key: expect.any(String) }]));
    expect(before.map((key) => filesWith(at, key).length)).toEqual([0, 0, 1]);
    // What a backup of the bodies would still hold is as long as the body and shows nothing of it.
    expect(copy).toHaveLength(large.length);
    expect(copy.includes(mark)).toBe(false);
    expect((await downloaded(at, kept)).equals(middle)).toBe(true);
  });
});

import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, open, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeBodies } from '../bodies.contract.ts';
import type { Bodies, BodyListing, DurableBody } from '../bodies.ts';
import { get, patterned, put, readUntilFault, sameBytes } from '../body-probe.ts';
import { describeEncryptedBodies, type EncryptedBodiesUnderTest } from '../encrypted-bodies.contract.ts';
import { DiskBlobs } from './disk-blobs.ts';
import { createDiskBodies, type DiskBodiesOptions } from './disk-bodies.ts';
import { type FileSystem, nodeFileSystem, type OpenFile } from './file-system.ts';

const dayMs = 86_400_000;

/** The real file system, counting files that were not closed. */
class CountingFileSystem {
  openFiles = 0;
  readonly fileSystem: FileSystem = {
    ...nodeFileSystem,
    create: (path) => this.#counted(nodeFileSystem.create(path)),
    open: (path) => this.#counted(nodeFileSystem.open(path)),
  };
  async #counted(opening: Promise<OpenFile>): Promise<OpenFile> {
    const file = await opening;
    this.openFiles += 1;
    return {
      write: (bytes, position) => file.write(bytes, position),
      read: (into, position) => file.read(into, position),
      sync: () => file.sync(),
      close: () => {
        this.openFiles -= 1;
        return file.close();
      },
    };
  }
}

async function* slowPieces(
  begun: PromiseWithResolvers<void>,
  going: Promise<void>,
): AsyncGenerator<Uint8Array, void, void> {
  yield Buffer.from('a');
  begun.resolve();
  await going;
  yield Buffer.from('b');
}

interface DiskUnderTest {
  readonly folder: string;
  readonly root: string;
  readonly bodies: Bodies;
  readonly end: () => Promise<void>;
}

async function openDisk(options: Partial<DiskBodiesOptions> = {}): Promise<DiskUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'openmesh-bodies-'));
  const root = join(folder, 'made', 'on', 'demand');
  const counting = new CountingFileSystem();
  const bodies = await createDiskBodies({
    root,
    fileSystem: counting.fileSystem,
    reserveBytes: 0,
    blockBuffers: 8,
    clock: { nowMs: () => Date.now() },
    randomKey: () => randomBytes(16).toString('hex'),
    ...options,
  });
  const end = async () => {
    await bodies.close();
    expect(counting.openFiles).toBe(0);
    await rm(folder, { recursive: true });
  };
  return { folder, root, bodies, end };
}

async function openForContract(options: Partial<DiskBodiesOptions>): Promise<EncryptedBodiesUnderTest> {
  const { root, bodies, end } = await openDisk(options);
  return {
    bodies,
    end,
    flipBit: async (ref, offset) => {
      const file = await open(join(root, ref), 'r+');
      const byte = Buffer.alloc(1);
      await file.read(byte, 0, 1, offset);
      byte[0] = (byte[0] ?? 0) ^ 0x10;
      await file.write(byte, 0, 1, offset);
      await file.close();
    },
    truncate: (ref, size) => truncate(join(root, ref), size),
    raw: (ref) => readFile(join(root, ref)),
    overwrite: (ref, bytes) => writeFile(join(root, ref), bytes),
    countStored: async () =>
      (await readdir(root, { recursive: true, withFileTypes: true })).filter((e) => e.isFile()).length,
  };
}

describeEncryptedBodies('disk', () => openForContract({ hashThreads: 2 }));
describeEncryptedBodies('disk, with one thread and the least memory', () =>
  openForContract({ hashThreads: 1, blockBuffers: 2 }),
);

describeBodies('disk', () => openForContract({ hashThreads: 2 }));
describeBodies('disk, with one thread and the least memory', () =>
  openForContract({ hashThreads: 1, blockBuffers: 2 }),
);

describe('bodies on disk', () => {
  let nowMs: number;
  let disk: DiskUnderTest;
  beforeEach(async () => {
    nowMs = Date.UTC(2026, 10, 21, 12);
    disk = await openDisk({ blockBuffers: 4, clock: { nowMs: () => nowMs } });
  });
  afterEach(() => disk.end());

  async function listed(beforeMs: number): Promise<BodyListing[]> {
    const all: BodyListing[] = [];
    for await (const one of disk.bodies.list(beforeMs)) all.push(one);
    return all;
  }

  it('are listed oldest day first, with the moment they came, up to the millisecond asked for', async () => {
    const refs: string[] = [];
    for (let day = 0; day < 4; day += 1) {
      refs.push((await put(disk.bodies, patterned(10, day))).ref);
      nowMs += dayMs;
    }
    const start = nowMs - 4 * dayMs;
    expect(await listed(nowMs)).toEqual(refs.map((ref, day) => ({ ref, createdAtMs: start + day * dayMs })));
    expect(await listed(start + dayMs)).toHaveLength(1);
    expect(await listed(start + dayMs + 1)).toHaveLength(2);
  });

  it('leave nothing behind of a copy that was killed among them days ago, and leave one alone that is being made', async () => {
    const { root, bodies, end } = await openDisk();
    try {
      const body = await put(bodies, patterned(10, 1));
      const folder = join(root, dirname(body.ref));
      const blobs = new DiskBlobs(root);
      const going = Promise.withResolvers<void>();
      const begun = Promise.withResolvers<void>();
      const killed = join(folder, '.unfinished-0123456789abcdef');
      await writeFile(killed, 'half of a body');
      const threeDaysAgo = Date.now() / 1000 - 3 * 86_400;
      await utimes(killed, threeDaysAgo, threeDaysAgo);
      const copying = blobs.write(`${body.ref}0`, slowPieces(begun, going.promise));
      await begun.promise;
      const found: BodyListing[] = [];
      for await (const listing of bodies.list(Date.now() + 1)) found.push(listing);
      expect(found.map(({ ref }) => ref)).toEqual([body.ref]);
      const left = (await readdir(folder)).filter((name) => name.startsWith('.'));
      expect(left).toHaveLength(1);
      expect(left).not.toContain('.unfinished-0123456789abcdef');
      going.resolve();
      await copying;
      expect(await blobs.size(`${body.ref}0`)).toBe(2);
    } finally {
      await end();
    }
  });

  it('leave no empty folders of past days behind once they were listed, and touch no other file', async () => {
    const old = await put(disk.bodies, patterned(10, 1));
    await mkdir(join(disk.root, 'lost+found'));
    await writeFile(join(disk.root, '20261121', 'note'), 'not ours');
    nowMs += 3 * dayMs;
    const fresh = await put(disk.bodies, patterned(10, 2));
    await disk.bodies.remove([old.ref]);
    await listed(nowMs);
    expect(await readdir(join(disk.root, '20261121'))).toEqual(['note']);
    expect((await readdir(disk.root)).sort()).toEqual(['20261121', '20261124', 'lost+found']);
    expect(sameBytes(await get(disk.bodies, fresh.ref, fresh), patterned(10, 2))).toBe(true);
  });

  it('are stored again after someone took the folders of the day away', async () => {
    await put(disk.bodies, patterned(10, 1));
    await rm(join(disk.root, '20261121'), { recursive: true });
    const body = await put(disk.bodies, patterned(10, 2));
    expect(sameBytes(await get(disk.bodies, body.ref, body), patterned(10, 2))).toBe(true);
  });

  it('are read by one consumer while another sits on its block and the memory for more is gone', async () => {
    const bytes = patterned(9 * 1_048_576, 3);
    const body = await put(disk.bodies, bytes);
    const slow = disk.bodies.read(body.ref, body)[Symbol.asyncIterator]();
    const first = await slow.next();
    expect(sameBytes(await get(disk.bodies, body.ref, body), bytes)).toBe(true);
    first.value?.release();
    const second = await slow.next();
    expect(sameBytes(second.value?.bytes ?? Buffer.alloc(0), bytes.subarray(4_194_304, 8_388_608))).toBe(true);
    second.value?.release();
    await slow.return?.();
  });

  it('are not given to a consumer who keeps a block and asks for the next', async () => {
    const body = await put(disk.bodies, patterned(9 * 1_048_576, 4));
    const reader = disk.bodies.read(body.ref, body)[Symbol.asyncIterator]();
    await reader.next();
    await expect(reader.next()).rejects.toThrow('release a block before asking for the next');
  });

  it('take one write at a time', async () => {
    const sink = await disk.bodies.create();
    const pending = sink.write(Buffer.alloc(64 * 1_048_576));
    await expect(async () => sink.write(Buffer.alloc(1))).rejects.toThrow('wait for the last write');
    await expect(sink.finish()).rejects.toThrow('wait for the last write');
    await pending;
    await sink.abort();
  });

  it('can be dropped while a write waits', async () => {
    const sink = await disk.bodies.create();
    const pending = sink.write(Buffer.alloc(64 * 1_048_576));
    await Promise.all([expect(pending).rejects.toMatchObject({ kind: 'io' }), sink.abort()]);
    expect(await listed(Number.POSITIVE_INFINITY)).toEqual([]);
  });

  it('close while a body is being finished and another is being read, without losing the first', async () => {
    const stored = await put(disk.bodies, patterned(9 * 1_048_576, 5));
    const reader = disk.bodies.read(stored.ref, stored)[Symbol.asyncIterator]();
    (await reader.next()).value?.release();
    const sink = await disk.bodies.create();
    await sink.write(patterned(700_000, 6));
    const finishing = sink.finish();
    await disk.bodies.close();
    expect(await finishing).toMatchObject({ sizeBytes: 700_000 });
    await expect(reader.next()).rejects.toMatchObject({ kind: 'io' });
  });

  it('leave a process nothing to stay alive for once closed', async () => {
    const here = fileURLToPath(new URL('.', import.meta.url));
    const program = `
      import { createDiskBodies } from ${JSON.stringify(join(here, 'disk-bodies.ts'))};
      import { nodeFileSystem } from ${JSON.stringify(join(here, 'file-system.ts'))};
      const bodies = await createDiskBodies({
        root: process.argv[1], fileSystem: nodeFileSystem, reserveBytes: 0, blockBuffers: 4,
        clock: { nowMs: () => Date.now() }, randomKey: () => 'c0ffee0123456789',
      });
      const sink = await bodies.create();
      await sink.write(Buffer.alloc(9_000_000));
      const body = await sink.finish();
      for await (const block of bodies.read(body.ref, body)) block.release();
      await bodies.close();
      process.stdout.write(process.getActiveResourcesInfo().filter((name) => !name.includes('Pipe')).join());
    `;
    const args = ['--input-type=module', '--eval', program, join(disk.folder, 'child')];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    expect(stdout).toBe('');
  });
});

it('removes every body it can, and tells of one that it cannot when all were tried', async () => {
  let stuck = '';
  const unlink = async (path: string): Promise<void> => {
    if (stuck !== '' && path.endsWith(stuck)) throw Object.assign(new Error('not permitted'), { code: 'EACCES' });
    await nodeFileSystem.unlink(path);
  };
  const { bodies, end } = await openDisk({ fileSystem: { ...nodeFileSystem, unlink } });
  try {
    const stored: DurableBody[] = [];
    for (let n = 0; n < 40; n += 1) stored.push(await put(bodies, patterned(10, n)));
    stuck = stored[0]?.ref ?? '';
    const removing = bodies.remove(stored.map(({ ref }) => ref));
    await expect(removing).rejects.toMatchObject({ kind: 'io', message: expect.stringContaining(stuck) as string });
    const left = await Promise.all(stored.map((body) => readUntilFault(bodies, body)));
    expect(left.map(({ fault }) => fault?.kind)).toEqual([undefined, ...Array(39).fill('missing')]);
  } finally {
    await end();
  }
});

describe('the number of bodies being written', () => {
  it('is bounded: one more is refused as busy, and room returns when one ends either way', async () => {
    const { bodies, end } = await openDisk({ openSinksMax: 2 });
    try {
      const begun = await Promise.allSettled([bodies.create(), bodies.create(), bodies.create()]);
      const sinks = begun.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      expect(sinks).toHaveLength(2);
      await expect(bodies.create()).rejects.toMatchObject({ kind: 'busy' });
      await sinks[0]?.abort();
      const next = await bodies.create();
      await expect(bodies.create()).rejects.toMatchObject({ kind: 'busy' });
      await sinks[1]?.finish();
      await (await bodies.create()).abort();
      await next.abort();
    } finally {
      await end();
    }
  });
});

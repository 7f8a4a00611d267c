import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { mkdtemp, open, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestBlockBytes } from '../bodies.ts';
import { alignedMemory, isPageAligned, pageBytes } from '../transfer/aligned-memory.ts';
import type { OpenFile } from './file-system.ts';
import { createNodeFile, NodeFile, openNodeFile } from './node-file.ts';

const partBytes = 1024 * 1024;

/** Random bytes in memory that a transfer past the cache can use. */
function alignedBytes(length: number): Buffer {
  const memory = alignedMemory(length);
  memory.set(randomBytes(length));
  return memory;
}

async function writeFully(file: OpenFile, bytes: Buffer, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += await file.write(bytes.subarray(at), position + at);
}

async function readFully(file: OpenFile, length: number, position: number): Promise<Buffer> {
  const into = alignedMemory(length);
  for (let at = 0; at < length; ) at += await file.read(into.subarray(at), position + at);
  return Buffer.from(into);
}

function failsWith(code: string): () => Promise<never> {
  return () => Promise.reject(Object.assign(new Error(code), { code }));
}

describe('a file of the system', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'openmesh-file-'));
    path = join(folder, 'file');
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** Whether the system's cache was gone round: the descriptors of the file, of this process, that were opened so. */
  async function directDescriptors(): Promise<number> {
    let count = 0;
    if (process.platform !== 'linux') return count;
    for (const name of await readdir('/proc/self/fd')) {
      const target = await readlink(`/proc/self/fd/${name}`).catch(() => '');
      if (target !== path) continue;
      const flags = /^flags:\s*([0-7]+)$/m.exec(await readFile(`/proc/self/fdinfo/${name}`, 'utf8'))?.[1] ?? '0';
      if ((Number.parseInt(flags, 8) & constants.O_DIRECT) !== 0) count += 1;
    }
    return count;
  }

  const lengths = [partBytes, partBytes + 1, partBytes + pageBytes - 1, 3 * partBytes - 77, pageBytes - 1];
  const positions = [0, digestBlockBytes - partBytes, digestBlockBytes, digestBlockBytes + 5, 2 * digestBlockBytes];
  it.each(lengths.flatMap((length) => positions.map((position) => [length, position] as const)))(
    'gives back %i bytes written at %i, past the cache or through it, and its neighbours unharmed',
    async (length, position) => {
      const [before, bytes, after] = [alignedBytes(position), alignedBytes(length), alignedBytes(partBytes)];
      const file = await createNodeFile(path);
      await Promise.all([
        writeFully(file, before, 0),
        writeFully(file, bytes, position),
        writeFully(file, after, position + length),
      ]);
      await file.sync();
      await file.close();
      const whole = Buffer.concat([before, bytes, after]);
      expect((await readFile(path)).equals(whole)).toBe(true);
      const reading = await openNodeFile(path);
      expect((await readFully(reading, length, position)).equals(bytes)).toBe(true);
      expect(await reading.read(alignedMemory(partBytes), whole.length)).toBe(0);
      await reading.close();
    },
  );

  it('keeps a long body out of the cache, where the system has a way past it, and a short one in it', async () => {
    const able = await open(path, constants.O_CREAT | constants.O_RDWR | (constants.O_DIRECT ?? -1)).then(
      (handle) => handle.close().then(() => 1),
      () => 0,
    );
    await rm(path, { force: true });
    const file = await createNodeFile(path);
    await writeFully(file, alignedBytes(partBytes), 0);
    expect(await directDescriptors()).toBe(0);
    await writeFully(file, alignedBytes(partBytes), digestBlockBytes);
    expect(await directDescriptors()).toBe(able);
    await file.close();
    expect(await directDescriptors()).toBe(0);
  });

  it('uses the cache where the way past it cannot be opened', async () => {
    const bytes = alignedBytes(2 * partBytes);
    const file = new NodeFile(await open(path, 'wx+'), () => Promise.reject(new Error('refused')));
    await writeFully(file, bytes, digestBlockBytes);
    expect((await readFully(file, bytes.length, digestBlockBytes)).equals(bytes)).toBe(true);
    await file.close();
  });

  it('uses the cache where the way past it opens and then takes nothing, and closes both', async () => {
    const invalid = failsWith('EINVAL');
    let tried = 0;
    let closed = 0;
    const refusing = {
      read: invalid,
      write: () => {
        tried += 1;
        return invalid();
      },
      datasync: invalid,
      close: async () => {
        closed += 1;
      },
    };
    const bytes = alignedBytes(2 * partBytes);
    const file = new NodeFile(await open(path, 'wx+'), () => Promise.resolve(refusing));
    await writeFully(file, bytes, digestBlockBytes);
    expect((await readFully(file, bytes.length, digestBlockBytes)).equals(bytes)).toBe(true);
    await file.close();
    expect([tried, closed]).toEqual([1, 1]);
  });

  it.each(['ENOSPC', 'EIO'])('does not try a failed transfer another way: %s is told', async (code) => {
    const failing = failsWith(code);
    const direct = { read: failing, write: failing, datasync: failing, close: () => Promise.resolve() };
    const file = new NodeFile(await open(path, 'wx+'), () => Promise.resolve(direct));
    await expect(file.write(alignedBytes(partBytes), digestBlockBytes)).rejects.toMatchObject({ code });
    await expect(file.read(alignedMemory(partBytes), digestBlockBytes)).rejects.toMatchObject({ code });
    await file.close();
    expect((await readFile(path)).length).toBe(0);
  });
});

describe('memory for transfers past the cache', () => {
  it('is known from memory that begins anywhere', () => {
    const memory = alignedMemory(3 * pageBytes);
    expect(isPageAligned(memory)).toBe(true);
    expect(isPageAligned(memory.subarray(pageBytes))).toBe(true);
    expect(isPageAligned(memory.subarray(1))).toBe(false);
    expect(isPageAligned(Buffer.from(new SharedArrayBuffer(pageBytes)))).toBe(false);
    expect(isPageAligned(Buffer.alloc(pageBytes))).toBe(false);
  });
});

import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { BodyBlock } from '../../store/bodies.ts';
import { encodeContent, NotGzip } from './content.ts';

/** Two blocks, and what became of them. */
function watchedBlocks(bytes: Buffer) {
  const seen = { released: 0, closed: 0 };
  const half = Math.ceil(bytes.length / 2);
  const left = [bytes.subarray(0, half), bytes.subarray(half)];
  const iterator: AsyncIterator<BodyBlock> = {
    next() {
      const piece = left.shift();
      if (piece === undefined) return Promise.resolve({ done: true, value: undefined });
      return Promise.resolve({ done: false, value: { bytes: piece, release: () => (seen.released += 1) } });
    },
    return() {
      seen.closed += 1;
      return Promise.resolve({ done: true, value: undefined });
    },
  };
  return { seen, blocks: { [Symbol.asyncIterator]: () => iterator } };
}

const wanted = (gzip: boolean) => ({ gzip, version: 2, notGzip: new NotGzip(), chunk: 'M 1' }) as const;

const cases = [
  { name: 'gzip to unpack', bytes: gzipSync(Buffer.alloc(5000, 'abc')), stored: 'gzip', gzip: false },
  { name: 'bytes that only claim to be gzip', bytes: Buffer.alloc(5000, 'abc'), stored: 'gzip', gzip: false },
  { name: 'bytes to squeeze', bytes: Buffer.alloc(5000, 'abc'), stored: '', gzip: true },
] as const;

describe('the content of a chunk on its way out', () => {
  it.each(cases)('holds no block and no file when it is dropped before it was asked for: $name', async (of) => {
    const { seen, blocks } = watchedBlocks(of.bytes);
    const content = { kind: 'blocks', sizeBytes: of.bytes.length, blocks, giveUp: () => Promise.resolve() } as const;
    const out = await encodeContent(content, of.stored, wanted(of.gzip));
    if (out.kind === 'plain') throw new Error('a body of blocks stays one');
    await (out.kind === 'blocks' ? out.blocks : out.pieces)[Symbol.asyncIterator]().return?.();
    expect(seen).toEqual({ released: of.stored === 'gzip' ? 1 : 0, closed: 1 });
  });

  it.each(cases)('lets go of every block once it was given whole: $name', async (of) => {
    const { seen, blocks } = watchedBlocks(of.bytes);
    const content = { kind: 'blocks', sizeBytes: of.bytes.length, blocks, giveUp: () => Promise.resolve() } as const;
    const out = await encodeContent(content, of.stored, wanted(of.gzip));
    if (out.kind === 'blocks') for await (const block of out.blocks) block.release();
    if (out.kind === 'stream') for await (const piece of out.pieces) expect(piece.length).toBeGreaterThan(0);
    expect(seen.released).toBe(2);
  });

  // More than a coder holds: when the caller goes it stands still with a write under way.
  const large = randomBytes(3_000_000);
  const broken = Buffer.concat([gzipSync(large.subarray(0, 1_000_000)).subarray(0, -8), large]);

  it.each([
    { name: 'gzip to unpack', bytes: gzipSync(large), stored: 'gzip', gzip: false },
    { name: 'bytes to squeeze', bytes: large, stored: '', gzip: true },
  ] as const)('lets go of the body when the caller goes in the middle of it: $name', async (of) => {
    const { seen, blocks } = watchedBlocks(of.bytes);
    const content = { kind: 'blocks', sizeBytes: of.bytes.length, blocks, giveUp: () => Promise.resolve() } as const;
    const out = await encodeContent(content, of.stored, wanted(of.gzip));
    if (out.kind !== 'stream') throw new Error('a body of blocks is streamed');
    const pieces = out.pieces[Symbol.asyncIterator]();
    expect((await pieces.next()).done).toBe(false);
    await pieces.return?.();
    expect(seen.closed).toBe(1);
  });

  it('lets go of the body when it turns out in the middle of it that it is no gzip', async () => {
    const { seen, blocks } = watchedBlocks(broken);
    const content = { kind: 'blocks', sizeBytes: broken.length, blocks, giveUp: () => Promise.resolve() } as const;
    const out = await encodeContent(content, 'gzip', wanted(false));
    if (out.kind !== 'stream') throw new Error('a body of blocks is streamed');
    const readAll = async (): Promise<void> => {
      for await (const piece of out.pieces) expect(piece.length).toBeGreaterThan(0);
    };
    await expect(readAll()).rejects.toThrow();
    expect(seen.closed).toBe(1);
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Blobs } from './blobs.ts';
import { BodyFault } from './bodies.ts';
import { patterned, sameBytes } from './body-probe.ts';

export interface BlobsUnderTest {
  readonly blobs: Blobs;
  /** What lies in the medium, unfinished pieces included. */
  countStored(): Promise<number>;
  readonly end: () => Promise<void>;
}

/** What every place for copies promises. `open` makes an empty one. */
export function describeBlobs(name: string, open: () => Promise<BlobsUnderTest>): void {
  describe(`blobs on ${name}`, () => {
    let place: BlobsUnderTest;
    let blobs: Blobs;
    beforeEach(async () => {
      place = await open();
      blobs = place.blobs;
    });
    afterEach(() => place.end());

    async function get(blob: string): Promise<Buffer> {
      const pieces: Buffer[] = [];
      for await (const piece of blobs.read(blob)) pieces.push(Buffer.from(piece));
      return Buffer.concat(pieces);
    }

    it.each([0, 1, 100_000, 8_388_608, 8_388_609, 20_000_000])('gives back the %i bytes it took', async (size) => {
      const bytes = patterned(size, 1);
      await blobs.write('some/blob', [bytes.subarray(0, size / 3), bytes.subarray(size / 3)]);
      expect(await blobs.size('some/blob')).toBe(size);
      expect(sameBytes(await get('some/blob'), bytes)).toBe(true);
    });

    it('puts the newer bytes in place of the older', async () => {
      await blobs.write('a', [patterned(9_000_000, 1)]);
      await blobs.write('a', [patterned(10, 2)]);
      expect(sameBytes(await get('a'), patterned(10, 2))).toBe(true);
      expect(await place.countStored()).toBe(1);
    });

    it.each([10, 20_000_000])(
      'leaves what was there, and nothing else, when a writer fails after %i bytes',
      async (size) => {
        await blobs.write('kept', [patterned(5, 1)]);
        async function* failing(): AsyncGenerator<Uint8Array> {
          yield patterned(size, 2);
          throw new RangeError('the giver of the bytes failed');
        }
        await expect(blobs.write('kept', failing())).rejects.toThrow('the giver of the bytes failed');
        await expect(blobs.write('other', failing())).rejects.toThrow(RangeError);
        expect(sameBytes(await get('kept'), patterned(5, 1))).toBe(true);
        expect(await place.countStored()).toBe(1);
      },
    );

    it('lists names under a start in the order of their bytes', async () => {
      for (const each of ['b/c', 'a-b', 'a/b', 'a/B', 'b/c-d/e', 'ab']) await blobs.write(each, [patterned(1, 1)]);
      expect(await listed(blobs, '')).toEqual(['a-b', 'a/B', 'a/b', 'ab', 'b/c', 'b/c-d/e']);
      expect(await listed(blobs, 'b/')).toEqual(['b/c', 'b/c-d/e']);
      expect(await listed(blobs, 'nothing/')).toEqual([]);
    });

    it('takes away what it is told to and nothing else, as often as it is told', async () => {
      for (const each of ['a/b/c', 'a/b/d', 'a/e', 'f']) await blobs.write(each, [patterned(10, 1)]);
      await blobs.remove(['a/b/c', 'f']);
      await blobs.remove(['a/b/c', 'unknown/blob', 'a/b/d']);
      await blobs.remove([]);
      expect(await listed(blobs, '')).toEqual(['a/e']);
      expect(await blobs.size('f')).toBeUndefined();
      expect(await place.countStored()).toBe(1);
      await blobs.write('a/b/c', [patterned(5, 2)]);
      expect(sameBytes(await get('a/b/c'), patterned(5, 2))).toBe(true);
      await expect(blobs.remove(['../outside'])).rejects.toThrow(BodyFault);
    });

    it('knows no blob that was never written, nor one that would lie elsewhere', async () => {
      for (const each of ['unknown', 'a/unknown', '../outside', '/etc/passwd', 'a//b', '', '.hidden']) {
        await expect(get(each)).rejects.toMatchObject({ kind: 'missing' });
      }
      expect(await blobs.size('unknown')).toBeUndefined();
      await expect(blobs.write('../outside', [])).rejects.toThrow(BodyFault);
    });
  });
}

async function listed(blobs: Blobs, start: string): Promise<string[]> {
  const names: string[] = [];
  for await (const name of blobs.list(start)) names.push(name);
  return names;
}

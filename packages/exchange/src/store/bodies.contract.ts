import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Bodies, BodyFault, type BodyRef, type BodySink, digestBlockBytes } from './bodies.ts';
import { get, patterned, put, readUntilFault, sameBytes, shapeFor, shapeOf } from './body-probe.ts';

/** A body store made for one test. */
export interface BodiesUnderTest {
  readonly bodies: Bodies;
  /** Flips one bit of a stored body behind the store's back. */
  flipBit(ref: BodyRef, offsetBytes: number): Promise<void>;
  /** Cuts a stored body to this size behind the store's back. */
  truncate(ref: BodyRef, sizeBytes: number): Promise<void>;
  /** Names that exist in the store's medium, whether or not `list` would tell them. */
  countStored(): Promise<number>;
  /** Closes the store, removes everything and checks that nothing is left open. */
  readonly end: () => Promise<void>;
}

/** More transfers than any store has large buffers for. */
const crowd = 60;
const farFutureMs = Date.UTC(2999, 0, 1);

/** What every body store promises. `open` makes an empty store; the suite ends it. */
export function describeBodies(name: string, open: () => Promise<BodiesUnderTest>): void {
  describe(`bodies on ${name}`, () => {
    let store: BodiesUnderTest;
    let bodies: Bodies;
    beforeEach(async () => {
      store = await open();
      bodies = store.bodies;
    });
    afterEach(() => store.end());

    const sizes = [0, 1, 65_535, 65_536, 65_537, 1_048_576, 1_048_577];
    const edges = [digestBlockBytes - 1, digestBlockBytes, digestBlockBytes + 1, 2 * digestBlockBytes, 9 * 1_048_576];
    it.each([...sizes, ...edges])('gives back the %i bytes it took, with the digests of node:crypto', async (size) => {
      const bytes = patterned(size, 1);
      const body = await put(bodies, bytes);
      expect(shapeOf(body)).toEqual(shapeFor(bytes));
      expect(sameBytes(await get(bodies, body.ref, body), bytes)).toBe(true);
    });

    it('stores the same body however its bytes were sliced', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 0, max: 300_000 }),
          fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 12 }),
          async (size, slices) => {
            const bytes = patterned(size, 2);
            const body = await put(bodies, bytes, slices);
            expect(shapeOf(body)).toEqual(shapeFor(bytes));
            expect(sameBytes(await get(bodies, body.ref, body), bytes)).toBe(true);
          },
        ),
        { numRuns: 40, seed: 20_261_121 },
      );
    });

    it('stores the same large body however its bytes were sliced', async () => {
      const bytes = patterned(2 * digestBlockBytes + 12_345, 3);
      for (const slices of [[1_000_003], [digestBlockBytes + 7], [65_536, 1, 2_097_151], [bytes.length]]) {
        const body = await put(bodies, bytes, slices);
        expect(shapeOf(body)).toEqual(shapeFor(bytes));
        expect(sameBytes(await get(bodies, body.ref, body), bytes)).toBe(true);
      }
    });

    it('has consumed what it was given when write settles, so the caller may reuse its buffer', async () => {
      const sink = await bodies.create();
      const expected: Buffer[] = [];
      const buffer = Buffer.alloc(700_001);
      for (let turn = 0; turn < 9; turn += 1) {
        buffer.fill(turn + 1);
        expected.push(Buffer.from(buffer));
        await sink.write(buffer);
        buffer.fill(0xff);
      }
      const body = await sink.finish();
      expect(sameBytes(await get(bodies, body.ref, body), Buffer.concat(expected))).toBe(true);
    });

    it('asks a caller who brings more than memory holds to wait', async () => {
      const sink = await bodies.create();
      const pressure = sink.write(Buffer.alloc(128 * 1_048_576));
      expect(pressure).toBeInstanceOf(Promise);
      await pressure;
      await sink.abort();
    });

    it('yields blocks of 4 MiB in order, the last one shorter, or pieces of them that end where they end', async () => {
      const body = await put(bodies, patterned(9 * 1_048_576, 4));
      const ends = new Set<number>();
      let end = 0;
      for await (const block of bodies.read(body.ref, body)) {
        end += block.bytes.length;
        ends.add(end);
        block.release();
      }
      expect([...ends].filter((each) => each % digestBlockBytes === 0 || each === body.sizeBytes)).toEqual([
        digestBlockBytes,
        2 * digestBlockBytes,
        body.sizeBytes,
      ]);
    });

    it.each([0, 1, 2])('names a flipped bit in block %i and never yields that block', async (wrong) => {
      const bytes = patterned(9 * 1_048_576, 5);
      const body = await put(bodies, bytes);
      await store.flipBit(body.ref, wrong * digestBlockBytes + 777_777);
      const { blocks, fault } = await readUntilFault(bodies, body);
      expect(fault).toMatchObject({ kind: 'corrupt', block: wrong });
      expect(blocks).toBe(wrong);
    });

    it.each([1, 40_000, 70_000])('names a flipped bit in a body of %i bytes', async (size) => {
      const body = await put(bodies, patterned(size, 6));
      await store.flipBit(body.ref, size - 1);
      expect(await readUntilFault(bodies, body)).toMatchObject({ blocks: 0, fault: { kind: 'corrupt', block: 0 } });
    });

    it('calls a body that lost its end corrupt and names the block where the bytes stop', async () => {
      const body = await put(bodies, patterned(9 * 1_048_576, 7));
      await store.truncate(body.ref, 2 * digestBlockBytes - 1);
      expect(await readUntilFault(bodies, body)).toMatchObject({ blocks: 1, fault: { kind: 'corrupt', block: 1 } });
    });

    it('calls a name it never gave, a removed one, and one that points elsewhere missing', async () => {
      const body = await put(bodies, patterned(10, 8));
      await bodies.remove([body.ref]);
      for (const ref of [body.ref, 'nonsense', '../../etc/passwd', ''] as BodyRef[]) {
        expect(await readUntilFault(bodies, { ...body, ref })).toMatchObject({ blocks: 0, fault: { kind: 'missing' } });
      }
    });

    it('removes only what it is told to, and takes a second removal and unknown names in good part', async () => {
      const [kept, gone, other] = [
        await put(bodies, patterned(5, 1)),
        await put(bodies, patterned(5, 2)),
        await put(bodies, patterned(5, 3)),
      ];
      await bodies.remove([gone.ref, other.ref, 'nonsense' as BodyRef, '../x' as BodyRef]);
      await bodies.remove([gone.ref]);
      await bodies.remove([]);
      expect(await listed(bodies, farFutureMs)).toEqual([kept.ref]);
      expect(await store.countStored()).toBe(1);
      expect(sameBytes(await get(bodies, kept.ref, kept), patterned(5, 1))).toBe(true);
    });

    it('lists every body older than a moment and none that is younger', async () => {
      const refs: BodyRef[] = [];
      for (let n = 0; n < 20; n += 1) refs.push((await put(bodies, patterned(3, n))).ref);
      expect((await listed(bodies, farFutureMs)).sort()).toEqual(refs.sort());
      expect(await listed(bodies, Number.POSITIVE_INFINITY)).toHaveLength(20);
      expect(await listed(bodies, 0)).toEqual([]);
    });

    it.each([100, 200_000, 6 * 1_048_576])('leaves nothing of an aborted body of %i bytes', async (size) => {
      const sink = await bodies.create();
      await sink.write(patterned(size, 9));
      await sink.abort();
      await sink.abort();
      expect(await store.countStored()).toBe(0);
      await expect(async () => sink.write(Buffer.alloc(1))).rejects.toThrow('takes no bytes');
    });

    it('keeps a finished body when it is aborted afterwards', async () => {
      const sink = await bodies.create();
      await sink.write(patterned(100, 1));
      const body = await sink.finish();
      await sink.abort();
      expect(sameBytes(await get(bodies, body.ref, body), patterned(100, 1))).toBe(true);
    });

    it('completes many more large bodies at a time than it has memory for, each with its own bytes', async () => {
      const turns = Array.from({ length: crowd }, (_, n) => patterned(1_200_000 + n, n));
      const stored = await Promise.all(turns.map((bytes) => put(bodies, bytes, [50_000])));
      const back = await Promise.all(stored.map((body) => get(bodies, body.ref, body)));
      expect(back.every((bytes, n) => sameBytes(bytes, turns[n] ?? Buffer.alloc(0)))).toBe(true);
    });

    it('lets a fast body through while many slow ones sit half-way', async () => {
      const slow: BodySink[] = [];
      for (let n = 0; n < 2 * crowd; n += 1) {
        const sink = await bodies.create();
        await sink.write(patterned(300_000, n));
        slow.push(sink);
      }
      const bytes = patterned(3_000_000, 99);
      const body = await put(bodies, bytes, [64_000]);
      expect(sameBytes(await get(bodies, body.ref, body), bytes)).toBe(true);
      for (const [n, sink] of slow.entries()) {
        await sink.write(patterned(10, n));
        expect(await sink.finish()).toMatchObject(shapeFor(Buffer.concat([patterned(300_000, n), patterned(10, n)])));
      }
    });

    it('lets a fast reader through while more slow ones than it has memory for sit on what they were given', async () => {
      const size = digestBlockBytes + 300_000;
      const bytes = patterned(size, 14);
      const body = await put(bodies, bytes);
      const slow = Array.from({ length: crowd / 4 }, () => bodies.read(body.ref, body)[Symbol.asyncIterator]());
      const first = slow.map((reader) => reader.next());
      const other = await put(bodies, patterned(size, 15));
      expect(sameBytes(await get(bodies, other.ref, other), patterned(size, 15))).toBe(true);
      for (const [n, reader] of slow.entries()) {
        let at = 0;
        for (let step = await first[n]; step?.done === false; step = await reader.next()) {
          const piece = step.value.bytes;
          if (!sameBytes(piece, bytes.subarray(at, at + piece.length))) throw new Error(`others' bytes at ${at}`);
          at += piece.length;
          step.value.release();
        }
        expect(at).toBe(size);
      }
    });

    it('gives the memory of readers who left early to others', async () => {
      const bytes = patterned(9 * 1_048_576, 10);
      const body = await put(bodies, bytes);
      for (let n = 0; n < crowd; n += 1) {
        for await (const block of bodies.read(body.ref, body)) {
          if (n % 2 === 0) block.release();
          break;
        }
      }
      expect(sameBytes(await get(bodies, body.ref, body), bytes)).toBe(true);
    });

    it('never reuses a block its consumer still holds after leaving', async () => {
      const body = await put(bodies, patterned(5 * 1_048_576, 11));
      const held: Uint8Array[] = [];
      const late: (() => void)[] = [];
      for await (const block of bodies.read(body.ref, body)) {
        held.push(block.bytes);
        late.push(() => block.release());
        break;
      }
      const other = await put(bodies, Buffer.alloc(5 * 1_048_576, 0xee));
      await Promise.all(Array.from({ length: crowd }, () => get(bodies, other.ref, other)));
      for (const release of late) release();
      await Promise.all(Array.from({ length: crowd }, () => get(bodies, other.ref, other)));
      const [kept = Buffer.alloc(0)] = held;
      expect(sameBytes(kept, patterned(5 * 1_048_576, 11).subarray(0, kept.length))).toBe(true);
      expect(kept.length).toBeGreaterThan(0);
    });

    it('hands memory to one reader at a time, also after many left while their next block was on its way', async () => {
      const size = digestBlockBytes + 300_000;
      const contents = [patterned(size, 12), patterned(size, 13)] as const;
      const stored = [await put(bodies, contents[0]), await put(bodies, contents[1])] as const;
      for (let n = 0; n < crowd; n += 1) {
        for await (const block of bodies.read(stored[0].ref, stored[0])) {
          block.release();
          break;
        }
      }
      const isGivenBack = async (n: 0 | 1) => sameBytes(await get(bodies, stored[n].ref, stored[n]), contents[n]);
      const turns = Array.from({ length: crowd / 2 }, () => [isGivenBack(0), isGivenBack(1)]).flat();
      expect(await Promise.all(turns)).not.toContain(false);
    });

    it('says how many bytes may still be written', async () => {
      expect(await bodies.freeBytes()).toBeGreaterThan(0);
    });

    it('refuses everything after close, and closing twice is harmless', async () => {
      const body = await put(bodies, patterned(100, 1));
      const unfinished = await bodies.create();
      await unfinished.write(patterned(100, 2));
      await bodies.close();
      await bodies.close();
      await expect(bodies.create()).rejects.toThrow(BodyFault);
      expect(await readUntilFault(bodies, body)).toMatchObject({ blocks: 0, fault: { kind: 'io' } });
      expect(await store.countStored()).toBe(1);
    });
  });
}

async function listed(bodies: Bodies, beforeMs: number): Promise<BodyRef[]> {
  const refs: BodyRef[] = [];
  for await (const { ref } of bodies.list(beforeMs)) refs.push(ref);
  return refs;
}

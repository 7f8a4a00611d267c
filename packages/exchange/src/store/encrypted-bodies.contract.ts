import { createCipheriv, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BodiesUnderTest } from './bodies.contract.ts';
import { type Bodies, type BodyKey, type BodyRef, type BodySink, digestBlockBytes } from './bodies.ts';
import { get, patterned, put, readUntilFault, sameBytes, shapeFor, shapeOf } from './body-probe.ts';

export interface EncryptedBodiesUnderTest extends BodiesUnderTest {
  /** The bytes of a stored body as they lie in the store's medium. */
  raw(ref: BodyRef): Promise<Buffer>;
  /** Puts other bytes in the place of a stored body behind the store's back. */
  overwrite(ref: BodyRef, bytes: Uint8Array): Promise<void>;
}

/** More transfers than any store has large buffers for. */
const crowd = 60;

function newKey(): BodyKey {
  return new Uint8Array(randomBytes(32));
}

/** What every body store promises of bodies that are given a key. `open` makes an empty store; the suite ends it. */
export function describeEncryptedBodies(name: string, open: () => Promise<EncryptedBodiesUnderTest>): void {
  describe(`encrypted bodies on ${name}`, () => {
    let store: EncryptedBodiesUnderTest;
    let bodies: Bodies;
    beforeEach(async () => {
      store = await open();
      bodies = store.bodies;
    });
    afterEach(() => store.end());

    const sizes = [0, 1, 16, 65_535, 65_536, 65_537, 1_048_577, digestBlockBytes - 1, digestBlockBytes];
    it.each([...sizes, digestBlockBytes + 1, 9 * 1_048_576 + 5])('gives back the %i bytes it took', async (size) => {
      const bytes = patterned(size, 1);
      const key = newKey();
      const body = await put(bodies, bytes, [65_536, 7, 1_000_003], key);
      expect(body).toMatchObject({ sizeBytes: size, sha256: shapeFor(bytes).sha256 });
      expect(body.blockDigests).toHaveLength(32 * Math.ceil(size / digestBlockBytes));
      expect(sameBytes(await get(bodies, body.ref, body, key), bytes)).toBe(true);
    });

    it('keeps each block as AES-256-GCM makes it of the plain bytes, with its number as nonce', async () => {
      const bytes = patterned(2 * digestBlockBytes + 77, 2);
      const key = newKey();
      const body = await put(bodies, bytes, [1_000_003], key);
      const raw = await store.raw(body.ref);
      expect(raw).toHaveLength(bytes.length);
      for (const block of [0, 1, 2]) {
        const nonce = Buffer.alloc(12);
        nonce.writeUInt32BE(block, 8);
        const cipher = createCipheriv('aes-256-gcm', key, nonce);
        const [start, end] = [block * digestBlockBytes, (block + 1) * digestBlockBytes];
        const expected = Buffer.concat([cipher.update(bytes.subarray(start, end)), cipher.final()]);
        expect(sameBytes(raw.subarray(start, end), expected)).toBe(true);
        expect(body.blockDigests.slice(block * 32, block * 32 + 32)).toBe(cipher.getAuthTag().toString('hex'));
      }
    });

    it('encrypts the same however the bytes were sliced, also when a slow sender gives its memory up', async () => {
      const bytes = patterned(digestBlockBytes + 300_000, 3);
      const key = newKey();
      const whole = await put(bodies, bytes, [bytes.length], key);
      const slow: BodySink[] = [];
      for (let n = 0; n < crowd; n += 1) {
        const sink = await bodies.create(key);
        await sink.write(bytes.subarray(0, 1_500_000 + n));
        slow.push(sink);
      }
      for (const [n, sink] of slow.entries()) {
        await sink.write(bytes.subarray(1_500_000 + n));
        expect(shapeOf(await sink.finish())).toEqual(shapeOf(whole));
      }
    });

    it.each([0, 1, 2])('names a flipped bit in block %i and never yields that block', async (wrong) => {
      const key = newKey();
      const body = await put(bodies, patterned(9 * 1_048_576, 5), [65_536], key);
      await store.flipBit(body.ref, wrong * digestBlockBytes + 777_777);
      const { blocks, fault } = await readUntilFault(bodies, body, key);
      expect(fault).toMatchObject({ kind: 'corrupt', block: wrong });
      expect(blocks).toBe(wrong);
    });

    it.each([1, 40_000, 70_000])('names a flipped bit in a body of %i bytes', async (size) => {
      const key = newKey();
      const body = await put(bodies, patterned(size, 6), [65_536], key);
      await store.flipBit(body.ref, size - 1);
      const found = await readUntilFault(bodies, body, key);
      expect(found).toMatchObject({ blocks: 0, fault: { kind: 'corrupt', block: 0 } });
    });

    it('names a block that was moved to the place of another, or of another body', async () => {
      const [key, otherKey] = [newKey(), newKey()];
      const body = await put(bodies, patterned(2 * digestBlockBytes, 7), [65_536], key);
      const other = await put(bodies, patterned(2 * digestBlockBytes, 8), [65_536], otherKey);
      const [raw, otherRaw] = [await store.raw(body.ref), await store.raw(other.ref)];
      const [first, second] = [raw.subarray(0, digestBlockBytes), raw.subarray(digestBlockBytes)];
      await store.overwrite(body.ref, Buffer.concat([second, first]));
      expect(await readUntilFault(bodies, body, key)).toMatchObject({
        blocks: 0,
        fault: { kind: 'corrupt', block: 0 },
      });
      await store.overwrite(body.ref, Buffer.concat([first, otherRaw.subarray(digestBlockBytes)]));
      expect(await readUntilFault(bodies, body, key)).toMatchObject({
        blocks: 1,
        fault: { kind: 'corrupt', block: 1 },
      });
    });

    it('gives nothing to who has another key', async () => {
      const body = await put(bodies, patterned(70_000, 9), [65_536], newKey());
      const found = await readUntilFault(bodies, body, newKey());
      expect(found).toMatchObject({ blocks: 0, fault: { kind: 'corrupt', block: 0 } });
    });

    it('completes many more large bodies at a time than it has memory for, each under its own key', async () => {
      const turns = Array.from({ length: crowd }, (_, n) => ({ bytes: patterned(1_200_000 + n, n), key: newKey() }));
      const stored = await Promise.all(turns.map(({ bytes, key }) => put(bodies, bytes, [50_000], key)));
      const back = await Promise.all(stored.map((body, n) => get(bodies, body.ref, body, turns[n]?.key)));
      expect(back.every((bytes, n) => sameBytes(bytes, turns[n]?.bytes ?? Buffer.alloc(0)))).toBe(true);
    });
  });
}

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeBackupKeys, readIdentity, readRecipient } from './backup-keys.ts';
import { seal, sealedChunkBytes, UnsealFault, unseal } from './sealed-blob.ts';

const keys = makeBackupKeys();
const recipient = readRecipient(keys.publicText);
const identity = readIdentity(keys.privateText);
const stranger = readIdentity(makeBackupKeys().privateText);
if (recipient === undefined || identity === undefined || stranger === undefined) throw new Error('keys that are none');

async function all(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const got: Buffer[] = [];
  for await (const piece of pieces) got.push(Buffer.from(piece));
  return Buffer.concat(got);
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const sealed = (bytes: Uint8Array, name = 'bodies/a'): Promise<Buffer> => all(seal(recipient, name, [bytes]));
const opened = (bytes: Uint8Array, name = 'bodies/a', by = identity): Promise<Buffer> =>
  all(unseal(by, name, one(bytes)));

describe('a sealed blob', () => {
  const sizes = [0, 1, sealedChunkBytes - 1, sealedChunkBytes, sealedChunkBytes + 1, 3 * sealedChunkBytes];
  it.each(sizes)('gives its recipient back the %i bytes that were sealed, and shows none of them', async (size) => {
    const bytes = Buffer.alloc(size, 'a text that would be seen. ');
    const blob = await sealed(bytes);
    expect(blob.includes('would be seen')).toBe(false);
    expect((await opened(blob)).equals(bytes)).toBe(true);
  });

  it('opens however it is sliced', async () => {
    const bytes = Buffer.alloc(sealedChunkBytes * 2 + 77, 'abc');
    const blob = await sealed(bytes);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 400_000 }), async (slice) => {
        async function* sliced(): AsyncGenerator<Uint8Array> {
          for (let at = 0; at < blob.length; at += slice) yield blob.subarray(at, at + slice);
        }
        expect((await all(unseal(identity, 'bodies/a', sliced()))).equals(bytes)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it('opens for nobody else and under no other name', async () => {
    const blob = await sealed(Buffer.from('text'));
    await expect(opened(blob, 'bodies/a', stranger)).rejects.toThrow(UnsealFault);
    await expect(opened(blob, 'bodies/b')).rejects.toThrow(UnsealFault);
  });

  it('shows every change, cut, doubled and exchanged chunk', async () => {
    const bytes = Buffer.alloc(sealedChunkBytes * 2 + 10, 'x');
    const blob = await sealed(bytes);
    const chunk = sealedChunkBytes + 16;
    const at = (n: number): Buffer => blob.subarray(40 + n * chunk, Math.min(blob.length, 40 + (n + 1) * chunk));
    const head = blob.subarray(0, 40);
    const flipped = Buffer.from(blob);
    flipped[blob.length - 1] = (flipped[blob.length - 1] ?? 0) ^ 1;
    const wrong = [
      flipped,
      blob.subarray(0, blob.length - 1),
      blob.subarray(0, 40 + chunk),
      blob.subarray(0, 40 + 2 * chunk),
      blob.subarray(0, 40),
      blob.subarray(0, 10),
      Buffer.alloc(0),
      Buffer.concat([head, at(1), at(0), at(2)]),
      Buffer.concat([head, at(0), at(0), at(1), at(2)]),
      Buffer.concat([blob, at(2)]),
    ];
    for (const each of wrong) await expect(opened(each)).rejects.toThrow(UnsealFault);
  });

  it('is another one each time', async () => {
    expect((await sealed(Buffer.from('a'))).equals(await sealed(Buffer.from('a')))).toBe(false);
  });
});

describe('the files of backup keys', () => {
  it('are told from each other and from anything else', () => {
    expect(readIdentity(keys.publicText)).toBeUndefined();
    expect(readRecipient(keys.privateText)).toBeUndefined();
    expect(readRecipient('')).toBeUndefined();
    expect(readRecipient(`${keys.publicText.trim()}x`)).toBeUndefined();
    expect(identity.bytes.equals(recipient.bytes)).toBe(true);
  });
});

import { createHash } from 'node:crypto';
import type { Blobs } from '../store/blobs.ts';
import { BlockOpener, blockTagLength } from '../store/block-cipher.ts';
import { BodyFault, type BodyKey, digestBlockBytes } from '../store/bodies.ts';
import type { NamedBody, SealedBody } from '../store/ledger-snapshot.ts';

/**
 * Opens what an encrypted body's blocks are checked with: its key, and the tag of each block, 32 hexadecimal digits.
 * Resolves to undefined where the secret key is not at hand; rejects with `BodyFault` 'corrupt' where the row was changed.
 */
export type OpenSealedBody = (
  sealed: SealedBody,
  sizeBytes: number,
) => Promise<{ readonly key: BodyKey; readonly tags: string } | undefined>;

/** What tells whether bytes are those that were stored. */
interface BodyCheck {
  update(bytes: Uint8Array): void;
  /** Whether all of them were. */
  end(): boolean;
}

export interface CheckedBody {
  /** The bytes at rest; ends with 'corrupt' where they are not those that the ledger knows: nothing damaged is a copy. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** False where the ledger has nothing to check the bytes with, or its key is not at hand: only the length is looked at. */
  readonly isChecked: boolean;
}

/** Looks at a body as it is copied. An encrypted one stays so: only its tags are computed again. */
export async function checkBody(
  from: Pick<Blobs, 'read'>,
  body: NamedBody,
  openSealed: OpenSealedBody,
): Promise<CheckedBody> {
  const check = await checkOf(body, openSealed);
  return { bytes: bytesOf(from, body, check), isChecked: check !== undefined };
}

/** Reads to the end, for whoever checks on the way. */
export async function readThrough(
  pieces: AsyncIterable<Uint8Array>,
  take?: (piece: Uint8Array) => void,
): Promise<void> {
  for await (const piece of pieces) take?.(piece);
}

async function checkOf(body: NamedBody, openSealed: OpenSealedBody): Promise<BodyCheck | undefined> {
  if (body.sealed !== null) {
    const opened = await openSealed(body.sealed, body.sizeBytes);
    return opened === undefined ? undefined : new TagCheck(opened.key, opened.tags);
  }
  if (body.sha256 === '') return undefined;
  const digest = createHash('sha256');
  return { update: (bytes) => void digest.update(bytes), end: () => digest.digest('hex') === body.sha256 };
}

async function* bytesOf(
  from: Pick<Blobs, 'read'>,
  body: NamedBody,
  check: BodyCheck | undefined,
): AsyncGenerator<Uint8Array, void, void> {
  let sizeBytes = 0;
  for await (const piece of from.read(body.ref)) {
    sizeBytes += piece.length;
    if (sizeBytes > body.sizeBytes) break;
    check?.update(piece);
    yield piece;
  }
  if (sizeBytes === body.sizeBytes && check?.end() !== false) return;
  throw new BodyFault('corrupt', 'the bytes at rest are not those that were accepted');
}

/** Computes the tag of each block of a body that comes in pieces, and compares. */
class TagCheck implements BodyCheck {
  readonly #key: BodyKey;
  readonly #tags: string;
  #block = 0;
  #inBlock = 0;
  #opener: BlockOpener | undefined;
  #isGood = true;

  constructor(key: BodyKey, tags: string) {
    this.#key = key;
    this.#tags = tags;
  }

  update(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const taken = Math.min(digestBlockBytes - this.#inBlock, bytes.length - at);
      this.#opener ??= new BlockOpener(this.#key, this.#block, this.#tagOf(this.#block));
      // A copy, for it is decrypted where it lies.
      this.#opener.update(Uint8Array.from(bytes.subarray(at, at + taken)));
      at += taken;
      this.#inBlock += taken;
      if (this.#inBlock === digestBlockBytes) this.#endBlock();
    }
  }

  end(): boolean {
    if (this.#inBlock > 0) this.#endBlock();
    return this.#isGood && this.#block * blockTagLength === this.#tags.length;
  }

  #endBlock(): void {
    if (this.#opener?.end() === '') this.#isGood = false;
    this.#opener = undefined;
    this.#inBlock = 0;
    this.#block += 1;
  }

  #tagOf(block: number): string {
    return this.#tags.slice(block * blockTagLength, (block + 1) * blockTagLength);
  }
}

import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type DecipherGCM,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { blockTagLength, updateInPlace } from '../store/block-cipher.ts';
import { BodyFault } from '../store/bodies.ts';
import type { WrappedKey } from '../store/ledger/messages.ts';
import type { RandomSource } from './random-source.ts';
import { secretKeyBytes } from './secret-key.ts';

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const chunkNumberBytes = 4;
const tagBytes = 16;
const saltBytes = 16;
const sha256Bytes = 32;
const sealedShaAt = saltBytes;
const shaTagAt = sealedShaAt + sha256Bytes;
const blockTagsAt = shaTagAt + tagBytes;
/** No block has this number. */
const shaNonce = Buffer.alloc(nonceBytes, 0xff);

/** A large body that is about to be stored. */
export interface NewBodyKey {
  /** For the body store; encrypts nothing else. */
  readonly key: Uint8Array;
  /** The text that opens the body again. `sha256` is that of the plain bytes, `tags` those of its blocks, both hex. */
  seal(stored: { readonly sizeBytes: number; readonly sha256: string; readonly tags: string }): string;
}

export interface OpenedBodyKey {
  readonly key: Uint8Array;
  readonly sha256: string;
  readonly tags: string;
}

/**
 * The key of one payload, opened. It encrypts small bodies itself, with a nonce of the chunk's number and eight random
 * bytes, and large ones under keys of their own, made from it, random bytes and the chunk's number: a chunk that is sent
 * again never meets the key and nonce of the first. Since the key opens in its payload's row only, bytes moved to another
 * payload or chunk do not open there.
 */
export class PayloadKey {
  /** As it was wrapped when it was made or read; a row that is written later keeps `PayloadKeys.wrappedNow`. */
  readonly wrapped: WrappedKey;
  readonly #key: KeyObject;
  readonly #fillRandom: RandomSource;

  /** Takes the bytes over: they are zeroed where they lie. */
  constructor(bytes: Uint8Array, wrapped: WrappedKey, fillRandom: RandomSource) {
    this.wrapped = wrapped;
    this.#key = createSecretKey(bytes);
    this.#fillRandom = fillRandom;
    bytes.fill(0);
  }

  /** The key itself, to be wrapped anew and zeroed by whoever asked. */
  bytes(): Uint8Array {
    return this.#key.export();
  }

  /** Encrypts a small body where it lies; answers the text without which it cannot be opened. */
  sealInline(chunkNumber: number, bytes: Uint8Array): string {
    const seal = Buffer.allocUnsafe(nonceBytes + tagBytes);
    seal.writeUInt32BE(chunkNumber, 0);
    this.#fillRandom(seal, chunkNumberBytes, nonceBytes - chunkNumberBytes);
    const cipher = createCipheriv(algorithm, this.#key, seal.subarray(0, nonceBytes));
    updateInPlace(bytes, cipher);
    cipher.final();
    seal.set(cipher.getAuthTag(), nonceBytes);
    return seal.toString('base64');
  }

  /**
   * Decrypts a small body where it lies. Throws `BodyFault` 'corrupt' for anything that is not this chunk of this payload
   * as it was sealed; the bytes are nothing then.
   */
  openInline(chunkNumber: number, bytes: Uint8Array, seal: string): void {
    const parts = Buffer.from(seal, 'base64');
    if (parts.length !== nonceBytes + tagBytes || parts.readUInt32BE(0) !== chunkNumber) throw changed();
    const nonce = parts.subarray(0, nonceBytes);
    const decipher = createDecipheriv(algorithm, this.#key, nonce, { authTagLength: tagBytes });
    decipher.setAuthTag(parts.subarray(nonceBytes));
    updateInPlace(bytes, decipher);
    if (!isWhole(decipher)) throw changed();
  }

  newBodyKey(chunkNumber: number): NewBodyKey {
    const salt = Buffer.allocUnsafe(saltBytes);
    this.#fillRandom(salt, 0, saltBytes);
    const key = this.#deriveBodyKey(salt, chunkNumber);
    return {
      key,
      seal({ sizeBytes, sha256, tags }) {
        const cipher = createCipheriv(algorithm, createSecretKey(key), shaNonce);
        cipher.setAAD(aboutBody(sizeBytes, tags));
        const sealedSha = cipher.update(sha256, 'hex');
        cipher.final();
        return Buffer.concat([salt, sealedSha, cipher.getAuthTag(), Buffer.from(tags, 'hex')]).toString('base64');
      },
    };
  }

  /** Throws `BodyFault` 'corrupt' when the text is not that of this chunk of this payload, or the size not the body's. */
  openBodyKey(chunkNumber: number, sizeBytes: number, seal: string): OpenedBodyKey {
    const parts = Buffer.from(seal, 'base64');
    const tags = parts.toString('hex', blockTagsAt);
    if (parts.length < blockTagsAt || tags.length % blockTagLength !== 0) throw changed();
    const key = this.#deriveBodyKey(parts.subarray(0, saltBytes), chunkNumber);
    const sealedSha = parts.subarray(sealedShaAt, shaTagAt);
    const shaTag = parts.subarray(shaTagAt, blockTagsAt);
    const decipher = createDecipheriv(algorithm, createSecretKey(key), shaNonce, { authTagLength: tagBytes });
    decipher.setAAD(aboutBody(sizeBytes, tags));
    decipher.setAuthTag(shaTag);
    const sha256 = decipher.update(sealedSha);
    if (!isWhole(decipher)) throw changed();
    return { key, sha256: sha256.toString('hex'), tags };
  }

  #deriveBodyKey(salt: Uint8Array, chunkNumber: number): Uint8Array {
    return new Uint8Array(hkdfSync('sha256', this.#key, salt, `openmesh body v1 chunk ${chunkNumber}`, secretKeyBytes));
  }
}

/** Binds the size, and which blocks there are, to the body's own text. */
function aboutBody(sizeBytes: number, tags: string): Buffer {
  return Buffer.from(`${sizeBytes} ${tags}`, 'latin1');
}

function isWhole(decipher: DecipherGCM): boolean {
  try {
    decipher.final();
    return true;
  } catch {
    return false;
  }
}

function changed(): BodyFault {
  return new BodyFault('corrupt', 'the bytes in the ledger are not those that were accepted', { block: 0 });
}

import {
  type CipherGCM,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type DecipherGCM,
  type KeyObject,
} from 'node:crypto';
import { copyBytes } from './copy-bytes.ts';

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;
/** A tag as text: hex, as digests are. */
export const blockTagLength = tagBytes * 2;
/** What is encrypted at once: small enough to stay in the processor's cache on its way there and back. */
const sliceBytes = 64 * 1024;

/** Two blocks of a body never share a nonce, and no two bodies share a key. */
function nonceOf(block: number): Buffer {
  const nonce = Buffer.alloc(nonceBytes);
  nonce.writeUInt32BE(block, nonceBytes - 4);
  return nonce;
}

/** What en- or decrypts: a cipher of Node, which gives each result memory of its own. */
interface Work {
  update(bytes: Uint8Array): Buffer<ArrayBuffer>;
}

/** The same with the result where the bytes lay. `bytes` are few, or a slice. */
export function updateInPlace(bytes: Uint8Array, work: Work): void {
  const done = work.update(bytes);
  if (bytes.buffer instanceof SharedArrayBuffer) {
    copyBytes(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, done, 0, done.length);
  } else bytes.set(done);
  // Memory that waits for the collector is cold when it comes to be used again: giving it back at once takes a third of the time.
  if (done.buffer.byteLength === done.length) done.buffer.transfer(0);
}

function inPlace(bytes: Uint8Array, work: Work): void {
  for (let at = 0; at < bytes.length; at += sliceBytes) {
    updateInPlace(bytes.subarray(at, at + sliceBytes), work);
  }
}

/** Encrypts the blocks of one body in their order, each by AES-256-GCM under the body's own key with its number as nonce. */
export class BlockSealer {
  readonly #key: KeyObject;
  #block = 0;
  #cipher: CipherGCM | undefined;

  /** `key` is 32 bytes that encrypt no other body. */
  constructor(key: Uint8Array) {
    this.#key = createSecretKey(key);
  }

  /** Encrypts the next bytes of the block where they lie. */
  update(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#cipher ??= createCipheriv(algorithm, this.#key, nonceOf(this.#block));
    inPlace(bytes, this.#cipher);
  }

  /** Ends the block; the bytes that follow are the next one's. Answers its tag, '' when the block has no bytes. */
  end(): string {
    const cipher = this.#cipher;
    if (cipher === undefined) return '';
    cipher.final();
    this.#cipher = undefined;
    this.#block += 1;
    return cipher.getAuthTag().toString('hex');
  }
}

/** Decrypts one block of a body. What it gives is not to be believed before `end` answered the tag. */
export class BlockOpener {
  readonly #tag: string;
  readonly #decipher: DecipherGCM;

  /** `block` counts from 0; `tag` is what sealing it answered. Throws RangeError when that is no tag. */
  constructor(key: Uint8Array, block: number, tag: string) {
    if (!/^[0-9a-f]{32}$/.test(tag)) throw new RangeError('a tag is 32 hexadecimal digits');
    this.#tag = tag;
    const options = { authTagLength: tagBytes };
    const decipher = createDecipheriv(algorithm, createSecretKey(key), nonceOf(block), options);
    decipher.setAuthTag(Buffer.from(tag, 'hex'));
    this.#decipher = decipher;
  }

  /** Decrypts the next bytes of the block where they lie. */
  update(bytes: Uint8Array): void {
    inPlace(bytes, this.#decipher);
  }

  /** The tag when the bytes are those that were sealed as this block under this key, else ''. */
  end(): string {
    try {
      this.#decipher.final();
      return this.#tag;
    } catch {
      return '';
    }
  }
}

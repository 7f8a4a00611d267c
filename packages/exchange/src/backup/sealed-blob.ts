import { createCipheriv, createDecipheriv, diffieHellman, generateKeyPairSync, hkdfSync } from 'node:crypto';
import { type BackupIdentity, type BackupRecipient, recipientOf } from './backup-keys.ts';

// A sealed blob (docs/operate/backup.md shows it to others):
//
//   magic       8 bytes   'OMBKUP1\n'
//   ephemeral  32 bytes   an X25519 public key made for this blob
//   chunks                each 256 KiB of plain bytes and a tag of 16; the last may be shorter, and is empty at times
//
// The key of a blob is HKDF-SHA-256 of the shared secret; salt: both public keys; info: the purpose and the blob's name, so
// that no blob passes for another. A chunk is AES-256-GCM under it, its nonce 11 bytes of its number and one byte that is 1
// for the last: none can be taken away, doubled or moved (the STREAM construction).

const magic = Buffer.from('OMBKUP1\n');
const publicKeyBytes = 32;
const headBytes = magic.length + publicKeyBytes;
const tagBytes = 16;
export const sealedChunkBytes = 256 * 1024;

/** The bytes are not what was sealed under this name for this key. */
export class UnsealFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnsealFault';
  }
}

/** The sealed form of the pieces, which only the recipient can open, and only under this name. */
export async function* seal(
  recipient: BackupRecipient,
  name: string,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Buffer, void, void> {
  const pair = generateKeyPairSync('x25519');
  const { x = '' } = pair.publicKey.export({ format: 'jwk' });
  const ephemeral = Buffer.from(x, 'base64url');
  const secret = diffieHellman({ privateKey: pair.privateKey, publicKey: recipient.key });
  const key = blobKey(secret, ephemeral, recipient.bytes, name);
  yield Buffer.concat([magic, ephemeral]);
  let number = 0;
  // A whole chunk waits for what follows: only then is it known whether it is the last.
  for await (const { bytes, last } of inChunks(pieces, sealedChunkBytes)) {
    const cipher = createCipheriv('aes-256-gcm', key, nonceOf(number, last), { authTagLength: tagBytes });
    yield Buffer.concat([cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
    number += 1;
  }
}

/** The plain bytes of a sealed blob, each chunk checked before it is given out. Throws `UnsealFault`. */
export async function* unseal(
  identity: BackupIdentity,
  name: string,
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer, void, void> {
  let key: Buffer | undefined;
  let number = 0;
  for await (const { bytes, last } of inChunks(
    afterHead(pieces, (head) => (key = keyOfHead(identity, name, head))),
    sealedChunkBytes + tagBytes,
  )) {
    if (key === undefined || bytes.length < tagBytes) throw new UnsealFault('the blob is cut short');
    const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(number, last), { authTagLength: tagBytes });
    decipher.setAuthTag(bytes.subarray(bytes.length - tagBytes));
    try {
      yield Buffer.concat([decipher.update(bytes.subarray(0, bytes.length - tagBytes)), decipher.final()]);
    } catch {
      throw new UnsealFault('the bytes are damaged, or were sealed for another key or under another name');
    }
    number += 1;
  }
}

function keyOfHead(identity: BackupIdentity, name: string, head: Buffer): Buffer {
  if (head.length < headBytes || !head.subarray(0, magic.length).equals(magic)) {
    throw new UnsealFault('this is no sealed blob of a backup');
  }
  const ephemeral = head.subarray(magic.length);
  const { key } = recipientOf(ephemeral.toString('base64url'));
  const secret = diffieHellman({ privateKey: identity.privateKey, publicKey: key });
  return blobKey(secret, ephemeral, identity.bytes, name);
}

function blobKey(secret: Buffer, ephemeral: Buffer, recipient: Buffer, name: string): Buffer {
  const salt = Buffer.concat([ephemeral, recipient]);
  return Buffer.from(hkdfSync('sha256', secret, salt, `openmesh backup v1 ${name}`, 32));
}

function nonceOf(number: number, last: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(number, 5, 6);
  nonce[11] = last ? 1 : 0;
  return nonce;
}

async function* afterHead(
  pieces: AsyncIterable<Uint8Array>,
  take: (head: Buffer) => unknown,
): AsyncGenerator<Uint8Array, void, void> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const piece of pieces) {
    if (head === undefined) {
      yield piece;
      continue;
    }
    head = Buffer.concat([head, piece]);
    if (head.length < headBytes) continue;
    take(head.subarray(0, headBytes));
    yield head.subarray(headBytes);
    head = undefined;
  }
  if (head !== undefined) throw new UnsealFault('the blob is cut short');
}

/** Pieces of exactly `size` bytes and one last, which may be shorter and is empty only where there is nothing at all. */
async function* inChunks(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  size: number,
): AsyncGenerator<{ readonly bytes: Buffer; readonly last: boolean }, void, void> {
  let chunk = Buffer.allocUnsafe(size);
  let used = 0;
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      if (used === size) {
        yield { bytes: chunk, last: false };
        chunk = Buffer.allocUnsafe(size);
        used = 0;
      }
      const taken = Math.min(size - used, piece.length - at);
      chunk.set(piece.subarray(at, at + taken), used);
      used += taken;
      at += taken;
    }
  }
  yield { bytes: chunk.subarray(0, used), last: true };
}

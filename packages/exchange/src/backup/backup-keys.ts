import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';

const publicStart = 'openmesh-backup-public-key:';
const privateStart = 'openmesh-backup-private-key:';
const keyTextLength = 43;

/** Who can read a backup: an X25519 key. The exchange has the public half only. */
export interface BackupRecipient {
  readonly key: KeyObject;
  /** The 32 bytes of the public key. */
  readonly bytes: Buffer;
}

/** Both halves, as they are on the machine where a backup is verified or restored. */
export interface BackupIdentity extends BackupRecipient {
  readonly privateKey: KeyObject;
}

/** A new pair, each half as the one line of its file. */
export function makeBackupKeys(): { readonly publicText: string; readonly privateText: string } {
  const { publicKey, privateKey } = generateKeyPairSync('x25519');
  const { d } = privateKey.export({ format: 'jwk' });
  const { x } = publicKey.export({ format: 'jwk' });
  return { publicText: `${publicStart}${x}\n`, privateText: `${privateStart}${d}\n` };
}

/** The key of a recipient's file; undefined when the text is none. */
export function readRecipient(text: string): BackupRecipient | undefined {
  const x = keyTextAfter(publicStart, text);
  return x === undefined ? undefined : recipientOf(x);
}

/** The keys of an identity's file; undefined when the text is none. */
export function readIdentity(text: string): BackupIdentity | undefined {
  const d = keyTextAfter(privateStart, text);
  if (d === undefined) return undefined;
  // The public half follows from the private one; PKCS #8 holds that alone (RFC 8410).
  const header = Buffer.from('302e020100300506032b656e04220420', 'hex');
  const der = Buffer.concat([header, Buffer.from(d, 'base64url')]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  return x === undefined ? undefined : { ...recipientOf(x), privateKey };
}

export function recipientOf(x: string): BackupRecipient {
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' });
  return { key, bytes: Buffer.from(x, 'base64url') };
}

function keyTextAfter(start: string, text: string): string | undefined {
  const line = text.trim();
  const key = line.startsWith(start) ? line.slice(start.length) : '';
  return key.length === keyTextLength && /^[A-Za-z0-9_-]+$/.test(key) ? key : undefined;
}

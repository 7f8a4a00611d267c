import { type KeyObject, sign } from 'node:crypto';

/** What an application proves itself by. */
export interface ClientCredentials {
  /** The application's API key: who it is. */
  readonly apiKey: string;
  /** The name under which the public half of the key was registered. */
  readonly keyId: string;
  readonly privateKey: KeyObject;
}

/** The longest a client assertion may live. */
const lifeSeconds = 300;

/**
 * A signed JWT that says who asks for a token: RS512, good for one use within five minutes at one address.
 * `tokenId` must be new each time.
 */
export function makeClientAssertion(
  { apiKey, keyId, privateKey }: ClientCredentials,
  tokenUrl: string,
  { tokenId, nowMs }: { readonly tokenId: string; readonly nowMs: number },
): string {
  const expiresAt = Math.floor(nowMs / 1000) + lifeSeconds;
  const header = encode({ alg: 'RS512', typ: 'JWT', kid: keyId });
  const claims = encode({ iss: apiKey, sub: apiKey, aud: tokenUrl, jti: tokenId, exp: expiresAt });
  const signed = `${header}.${claims}`;
  return `${signed}.${sign('RSA-SHA512', Buffer.from(signed), privateKey).toString('base64url')}`;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

import { createHmac } from 'node:crypto';
import { array, assert, property, string, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createKeyedHash } from './keyed-hash.ts';

describe('the keyed hash', () => {
  it('is the HMAC of the standard library for every key and message', () => {
    const bytes = uint8Array({ maxLength: 200 });
    const text = string({ unit: 'binary', maxLength: 3000 });
    assert(
      property(bytes, array(text, { minLength: 1, maxLength: 4 }), (key, messages) => {
        for (const encoding of ['hex', 'base64url'] as const) {
          const keyed = createKeyedHash(key, encoding);
          for (const message of messages) {
            expect(keyed(message)).toBe(createHmac('sha256', key).update(message, 'utf8').digest(encoding));
          }
        }
      }),
    );
  });
});

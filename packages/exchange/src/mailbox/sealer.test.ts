import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSealer, credentialContext, messageContext, SealFault, type SealFaultKind } from './sealer.ts';

const oldKey = { id: '2025', key: new Uint8Array(32).fill(1) };
const newKey = { id: '2026', key: new Uint8Array(32).fill(2) };
const sealer = createSealer([newKey, oldKey]);

function faultOf(action: () => unknown): SealFaultKind | 'none' {
  try {
    action();
    return 'none';
  } catch (error) {
    if (error instanceof SealFault) return error.kind;
    throw error;
  }
}

describe('the sealer', () => {
  it('gives back any text exactly, and never seals twice alike', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 600 }), fc.string(), (text, context) => {
        const sealed = sealer.seal(text, context);
        expect(sealer.open(sealed, context)).toBe(Buffer.from(text, 'utf8').toString('utf8'));
        expect(sealer.seal(text, context)).not.toBe(sealed);
      }),
    );
  });

  it('opens under every key it holds and seals under the first', () => {
    const before = createSealer([oldKey]).seal('password', credentialContext('c1'));
    expect(sealer.open(before, credentialContext('c1'))).toBe('password');
    const after = sealer.seal('password', credentialContext('c1'));
    expect(createSealer([newKey]).open(after, credentialContext('c1'))).toBe('password');
    expect(faultOf(() => createSealer([oldKey]).open(after, credentialContext('c1')))).toBe('unknown-key');
  });

  it('refuses a text moved to another record', () => {
    const sealed = sealer.seal('subject', messageContext('A'));
    expect(faultOf(() => sealer.open(sealed, messageContext('B')))).toBe('tampered');
  });

  it('refuses a text with any one character changed', () => {
    const sealed = sealer.seal('subject: discharge of a patient', 'message:A');
    fc.assert(
      fc.property(
        fc.nat({ max: sealed.length - 1 }),
        fc.constantFrom('A', 'z', '0', '9', '+', '/', '=', '!'),
        (at, letter) => {
          fc.pre(sealed[at] !== letter);
          const changed = sealed.slice(0, at) + letter + sealed.slice(at + 1);
          expect(faultOf(() => sealer.open(changed, 'message:A'))).not.toBe('none');
        },
      ),
    );
  });

  it('calls what it never made malformed', () => {
    for (const text of ['', 'password', 'AAAA', 'AQQyMDI2', 'x'.repeat(5000)]) {
      expect(faultOf(() => sealer.open(text, 'credential:c1'))).toBe('malformed');
    }
  });

  it('refuses a shortened tag, which GCM alone would take', () => {
    const bytes = Buffer.from(sealer.seal('', 'a'), 'base64');
    expect(faultOf(() => sealer.open(bytes.subarray(0, bytes.length - 4).toString('base64'), 'a'))).toBe('malformed');
  });

  it('names record and key in its faults, and neither text nor sealed bytes', () => {
    const sealed = sealer.seal('very secret', 'credential:c1');
    expect(() => sealer.open(sealed, 'credential:c2')).toThrow(
      'credential:c2: changed since it was sealed, or sealed for another record (key 2026)',
    );
  });

  it('refuses keys it could not tell apart or that are not 32 bytes', () => {
    expect(() => createSealer([])).toThrow(RangeError);
    expect(() => createSealer([oldKey, { ...newKey, id: oldKey.id }])).toThrow(RangeError);
    expect(() => createSealer([{ id: 'k', key: new Uint8Array(16) }])).toThrow(RangeError);
    expect(() => createSealer([{ id: 'a b', key: oldKey.key }])).toThrow(RangeError);
  });

  it('keeps its nonces apart over more seals than one draw of random bytes serves', () => {
    const nonces = new Set<string>();
    for (let count = 0; count < 1000; count += 1) {
      nonces.add(Buffer.from(sealer.seal('', ''), 'base64').toString('hex', 6, 18));
    }
    expect(nonces.size).toBe(1000);
  });
});

describe('the lookup key', () => {
  it('is the same for the same text and scope, in 24 characters that are safe in a key', () => {
    const key = sealer.lookupKey('local-1', 'local:X26ABC1');
    expect(key).toBe(createSealer([newKey]).lookupKey('local-1', 'local:X26ABC1'));
    expect(key).toMatch(/^[A-Za-z0-9_-]{24}$/);
  });

  it('differs by text, by scope, by key, and by where the scope ends', () => {
    const keys = [
      sealer.lookupKey('b', 'a'),
      sealer.lookupKey('c', 'a'),
      sealer.lookupKey('b', 'aa'),
      sealer.lookupKey('', 'ab'),
      sealer.lookupKey('ab', ''),
      createSealer([oldKey]).lookupKey('b', 'a'),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('finds texts digested before a rotation by the older keys', () => {
    const before = createSealer([oldKey]).lookupKey('local-1', 's');
    expect(sealer.lookupKeys('local-1', 's')).toEqual([sealer.lookupKey('local-1', 's'), before]);
  });
});

import { createDecipheriv, hkdfSync } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BodyFault } from '../store/bodies.ts';
import type { WrappedKey } from '../store/ledger/messages.ts';
import { createFileKeys } from './file-keys.ts';
import type { KeyService } from './key-service.ts';
import { createPayloadKeys } from './payload-keys.ts';
import { SealFault, type SealFaultKind } from './seal-fault.ts';
import { deriveKey } from './secret-key.ts';

const oldKey = { id: '2025', key: new Uint8Array(32).fill(1) };
const newKey = { id: '2026', key: new Uint8Array(32).fill(2) };
const service = createFileKeys([newKey, oldKey]);
const keys = createPayloadKeys(service, true);

async function make(payloadId = 'P1') {
  const key = await keys.make(payloadId);
  if (key === null) throw new Error('no key was made');
  return key;
}

const plain = Buffer.from('discharge summary of a patient');

/** Of an action that throws, at once or later. */
async function faultOf(action: () => unknown): Promise<SealFaultKind | BodyFault['kind'] | 'none'> {
  try {
    await action();
    return 'none';
  } catch (error) {
    if (error instanceof SealFault || error instanceof BodyFault) return error.kind;
    throw error;
  }
}

/** Every way of changing one character of a base64 text. */
const changes = (text: string) =>
  fc
    .tuple(fc.nat({ max: text.length - 1 }), fc.constantFrom('A', 'z', '0', '9', '+', '/'))
    .filter(([at, letter]) => text[at] !== letter && text[at] !== '=')
    .map(([at, letter]) => text.slice(0, at) + letter + text.slice(at + 1))
    // The last character before the padding has bits that say nothing.
    .filter((changed) => !Buffer.from(changed, 'base64').equals(Buffer.from(text, 'base64')));

describe('wrapped keys', () => {
  it('are AES-256-GCM under a key derived for wrapping, with the payload bound in', async () => {
    const key = new Uint8Array(32).fill(7);
    const { keyId, wrapped } = await service.wrap(key, 'payload:P1');
    const bytes = Buffer.from(wrapped, 'base64');
    expect(keyId).toBe('2026');
    expect(bytes[0]).toBe(1);
    const decipher = createDecipheriv('aes-256-gcm', deriveKey(newKey.key, 'wrap'), bytes.subarray(1, 13));
    decipher.setAAD(Buffer.from('payload:P1'));
    decipher.setAuthTag(bytes.subarray(45));
    expect(Buffer.concat([decipher.update(bytes.subarray(13, 45)), decipher.final()])).toEqual(Buffer.from(key));
  });

  it('open under every key of the file, are made under the first, and never twice alike', async () => {
    const key = new Uint8Array(32).fill(7);
    const before = await createFileKeys([oldKey]).wrap(key, 'c');
    expect(Buffer.from(await service.unwrap(before, 'c'))).toEqual(Buffer.from(key));
    const after = await service.wrap(key, 'c');
    expect(await faultOf(() => createFileKeys([oldKey]).unwrap(after, 'c'))).toBe('unknown-key');
    expect((await service.wrap(key, 'c')).wrapped).not.toBe(after.wrapped);
  });

  it('do not open for another payload, when changed, or when they never were any', async () => {
    const { keyId, wrapped } = await service.wrap(new Uint8Array(32).fill(7), 'payload:P1');
    expect(await faultOf(() => service.unwrap({ keyId, wrapped }, 'payload:P2'))).toBe('tampered');
    expect(await faultOf(() => service.unwrap({ keyId: '2025', wrapped }, 'payload:P1'))).toBe('tampered');
    for (const text of ['', 'AQ==', wrapped.slice(4)])
      expect(await faultOf(() => service.unwrap({ keyId, wrapped: text }, 'payload:P1'))).toBe('malformed');
    await fc.assert(
      fc.asyncProperty(changes(wrapped), async (changed) => {
        expect(await faultOf(() => service.unwrap({ keyId, wrapped: changed }, 'payload:P1'))).not.toBe('none');
      }),
    );
  });
});

describe("a payload's key", () => {
  it('gives small bodies back exactly, after it was wrapped and opened again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), fc.integer({ min: 1, max: 9999 }), async (bytes, chunk) => {
        const made = await make();
        const body = new Uint8Array(bytes);
        const seal = made.sealInline(chunk, body);
        (await keys.open('P1', made.wrapped)).openInline(chunk, body, seal);
        expect(body).toEqual(bytes);
      }),
    );
  });

  it('encrypts small bodies where they lie, and never twice alike', async () => {
    const key = await make();
    const [one, other] = [Buffer.from(plain), Buffer.from(plain)];
    expect(key.sealInline(1, one)).not.toBe(key.sealInline(1, other));
    expect(one).not.toEqual(other);
    expect(one.includes('patient')).toBe(false);
  });

  it('does not open a small body of another chunk or payload, or one that was changed', async () => {
    const key = await make();
    const bytes = Buffer.from(plain);
    const seal = key.sealInline(1, bytes);
    const opens = (chunk: number, body: Uint8Array, text = seal) =>
      faultOf(() => key.openInline(chunk, Buffer.from(body), text));
    expect(await opens(1, bytes)).toBe('none');
    expect(await opens(2, bytes)).toBe('corrupt');
    expect(await faultOf(async () => (await make('P2')).openInline(1, Buffer.from(bytes), seal))).toBe('corrupt');
    expect(await opens(1, bytes.subarray(1))).toBe('corrupt');
    expect(await opens(1, Buffer.alloc(plain.length))).toBe('corrupt');
    await fc.assert(
      fc.asyncProperty(changes(seal), async (changed) => {
        expect(await opens(1, bytes, changed)).toBe('corrupt');
      }),
    );
  });

  it('gives each large body a key of its own, also when the same chunk comes again', async () => {
    const key = await make();
    const made = [key.newBodyKey(1), key.newBodyKey(1), key.newBodyKey(2)].map((body) => Buffer.from(body.key));
    expect(new Set(made.map((bytes) => bytes.toString('hex'))).size).toBe(3);
  });

  it('derives it by HKDF-SHA-256 of the payload key, the salt and the chunk number', async () => {
    const bytes = new Uint8Array(32).fill(9);
    const wrapped = await service.wrap(bytes, 'payload:P1');
    const key = await keys.open('P1', wrapped);
    const body = key.newBodyKey(3);
    const seal = body.seal({ sizeBytes: 5, sha256: 'ab'.repeat(32), tags: 'cd'.repeat(16) });
    const salt = Buffer.from(seal, 'base64').subarray(0, 16);
    const expected = Buffer.from(hkdfSync('sha256', bytes, salt, 'openmesh body v1 chunk 3', 32));
    expect(Buffer.from(body.key)).toEqual(expected);
  });

  it('opens what was sealed of a large body: its key, its digest, its tags', async () => {
    const key = await make();
    const body = key.newBodyKey(7);
    const facts = { sizeBytes: 5_000_000, sha256: 'ab'.repeat(32), tags: 'cd'.repeat(32) };
    const seal = body.seal(facts);
    const opened = key.openBodyKey(7, facts.sizeBytes, seal);
    expect(opened).toEqual({ key: body.key, sha256: facts.sha256, tags: facts.tags });
    expect(Buffer.from(seal, 'base64').toString('hex')).not.toContain(facts.sha256);
  });

  it('does not open a large body of another chunk, payload or size, or with a block left out', async () => {
    const key = await make();
    const seal = key.newBodyKey(7).seal({ sizeBytes: 5_000_000, sha256: 'ab'.repeat(32), tags: 'cd'.repeat(32) });
    const shorter = Buffer.from(seal, 'base64').subarray(0, -16).toString('base64');
    expect(await faultOf(() => key.openBodyKey(8, 5_000_000, seal))).toBe('corrupt');
    expect(await faultOf(() => key.openBodyKey(7, 4_999_999, seal))).toBe('corrupt');
    expect(await faultOf(async () => (await make()).openBodyKey(7, 5_000_000, seal))).toBe('corrupt');
    for (const text of [shorter, '', 'AAAA'])
      expect(await faultOf(() => key.openBodyKey(7, 5_000_000, text))).toBe('corrupt');
    await fc.assert(
      fc.asyncProperty(changes(seal), async (changed) => {
        expect(await faultOf(() => key.openBodyKey(7, 5_000_000, changed))).toBe('corrupt');
      }),
    );
  });
});

describe('where keys come from', () => {
  it('makes none where bodies are not encrypted, and opens those there are', async () => {
    const off = createPayloadKeys(service, false);
    expect(off.make('P1')).toBeNull();
    const made = await make();
    const bytes = Buffer.from(plain);
    const seal = made.sealInline(1, bytes);
    (await off.open('P1', made.wrapped)).openInline(1, bytes, seal);
    expect(bytes).toEqual(plain);
  });

  it('waits for a service that answers later', async () => {
    const later: KeyService = {
      keyInUse: () => service.keyInUse(),
      wrap: async (key, context) => service.wrap(key, context),
      unwrap: async (wrapped: WrappedKey, context) => service.unwrap(wrapped, context),
    };
    const distant = createPayloadKeys(later, true);
    const made = await distant.make('P1');
    if (made === null) throw new Error('no key was made');
    const bytes = Buffer.from(plain);
    const seal = made.sealInline(1, bytes);
    (await distant.open('P1', made.wrapped)).openInline(1, bytes, seal);
    expect(bytes).toEqual(plain);
  });
});

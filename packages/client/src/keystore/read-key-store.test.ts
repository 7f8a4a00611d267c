import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { KeyStoreFault } from './credentials.ts';
import { readKeyStore } from './read-key-store.ts';

/** Made by keytool (JDK 17) and OpenSSL 3, once with its old encryption; their keys open nothing. */
const fixtures = JSON.parse(readFileSync(new URL('fixtures.json', import.meta.url), 'utf8')) as Record<string, string>;
const store = (name: string): Buffer => Buffer.from(fixtures[name] ?? '', 'base64');
const serialOf = (pem: string | undefined): string => new X509Certificate(pem ?? '').serialNumber;

describe('a key store', () => {
  it.each(['client.jks', 'modern.p12', 'legacy.p12'])(
    '%s gives the key, its own certificate first, and its authority',
    (name) => {
      const { identity, authorities } = readKeyStore(store(name), 'changeit');
      const own = new X509Certificate(identity?.chain[0] ?? '');
      expect(own.serialNumber).toBe(serialOf(fixtures['client.pem']));
      expect(own.checkPrivateKey(createPrivateKey(identity?.key ?? ''))).toBe(true);
      expect(authorities.map(serialOf)).toEqual([serialOf(fixtures['authority.pem'])]);
    },
  );

  it('made by keytool as PKCS#12 gives a self-signed certificate and a trusted one', () => {
    const { identity, authorities } = readKeyStore(store('keytool.p12'), 'changeit');
    expect(new X509Certificate(identity?.chain[0] ?? '').subject).toContain('KT001.X26');
    expect(authorities.map(serialOf)).toContain(serialOf(fixtures['authority.pem']));
  });

  it('opens under a password that is not ASCII', () => {
    expect(readKeyStore(store('pound.p12'), 'p£ss').identity).toBeDefined();
  });

  it.each(Object.keys(fixtures).filter((name) => !name.endsWith('.pem')))(
    '%s says that a password is wrong',
    (name) => {
      expect(() => readKeyStore(store(name), 'wrong')).toThrow(/password of the key store is wrong/);
    },
  );

  it.each(['client.jks', 'legacy.p12'])(
    '%s that is cut or changed anywhere is a fault with a sentence, never a crash',
    (name) => {
      const whole = store(name);
      for (let at = 0; at < whole.length; at += 37) {
        expect(() => readKeyStore(whole.subarray(0, at), 'changeit')).toThrow(KeyStoreFault);
        const changed = Buffer.from(whole);
        changed.writeUInt8((changed[at] ?? 0) ^ 0x41, at);
        try {
          readKeyStore(changed, 'changeit');
        } catch (error) {
          expect(error).toBeInstanceOf(KeyStoreFault);
        }
      }
    },
  );
});

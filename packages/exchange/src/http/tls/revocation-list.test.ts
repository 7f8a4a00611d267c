import { X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Authority, issueLeaf, makeAuthority, makeRevocationList } from '../../cli/dev-ca/issue.ts';
import { readRevocationList, serialKey } from './revocation-list.ts';

const nowMs = Date.UTC(2030, 0, 1);
const dayMs = 86_400_000;
const validity = { notBeforeMs: nowMs - dayMs, notAfterMs: nowMs + dayMs };

let one: Authority;
let two: Authority;

beforeAll(async () => {
  one = await makeAuthority('One', validity);
  two = await makeAuthority('Two', validity);
});

function listOf(authority: Authority, serials: readonly string[], nextUpdateMs = nowMs + dayMs): Promise<string> {
  const revoked = serials.map((serialHex) => ({ serialHex, revokedAtMs: nowMs }));
  return makeRevocationList(authority, { thisUpdateMs: nowMs - dayMs, nextUpdateMs, revoked });
}

function read(lists: readonly string[], authorities: readonly Authority[]): ReturnType<typeof readRevocationList> {
  return readRevocationList(
    'crl.pem',
    lists,
    authorities.map(({ certificatePem }) => certificatePem),
    nowMs,
  );
}

describe('a revocation list', () => {
  it('names exactly the certificates it lists, by what Node tells of them', async () => {
    const request = { commonName: 'S1.X26.api.mesh-client.nhs.uk', validity, uses: ['clientAuth'] as const };
    const [revoked, kept] = await Promise.all([issueLeaf(one, request), issueLeaf(one, request)]);
    const [bad, good] = [new X509Certificate(revoked.certificatePem), new X509Certificate(kept.certificatePem)];
    const { serials } = await read([await listOf(one, [bad.serialNumber])], [one]);
    expect(serials.has(serialKey(bad.issuer, bad.serialNumber))).toBe(true);
    expect(serials.has(serialKey(good.issuer, good.serialNumber))).toBe(false);
  });

  it('of one authority does not touch the same serial of another', async () => {
    const { serials } = await read([await listOf(one, ['0a']), await listOf(two, ['0b'])], [one, two]);
    expect([...serials].sort()).toEqual(['CN=One#A', 'CN=Two#B']);
  });

  it('is valid until the first of the lists must be replaced', async () => {
    const lists = [await listOf(one, [], nowMs + 1000), await listOf(two, [], nowMs + 5000)];
    expect((await read(lists, [one, two])).nextUpdateMs).toBe(nowMs + 1000);
  });

  it('is refused when an authority of the same name but another key signed it', async () => {
    const impostor = await makeAuthority('One', validity);
    await expect(read([await listOf(impostor, ['0a'])], [one])).rejects.toMatchObject({
      kind: 'revocation-list-untrusted',
    });
  });

  it('is refused when an authority has none, or when it should have been replaced', async () => {
    const list = await listOf(one, []);
    await expect(read([list], [one, two])).rejects.toMatchObject({ kind: 'revocation-list-incomplete' });
    const late = await listOf(one, [], nowMs);
    await expect(read([late], [one])).rejects.toMatchObject({ kind: 'revocation-list-expired' });
  });

  it('is refused when its bytes are broken', async () => {
    const broken = '-----BEGIN X509 CRL-----\nMAAA\n-----END X509 CRL-----\n';
    await expect(read([broken], [one])).rejects.toMatchObject({ kind: 'malformed' });
  });

  it('knows serials by value, whatever zeros and case they were written with', () => {
    expect(serialKey('CN=One', '00ff')).toBe(serialKey('CN=One', 'FF'));
    expect(serialKey('CN=One', '00')).toBe('CN=One#0');
  });
});

import { describe, expect, it } from 'vitest';
import { type CertificateCheckOptions, createCertificateCheck, distrustReason } from './client-certificate.ts';
import type { PeerCertificateFacts } from './peer-certificate.ts';

const clientAuth = '1.3.6.1.5.5.7.3.2';
const serverAuth = '1.3.6.1.5.5.7.3.1';
const peer: PeerCertificateFacts = {
  serial: '4A',
  fingerprint: 'ab',
  serialKey: 'CN=authority#4A',
  commonName: 'S1.X26.api.mesh-client.nhs.uk',
  holder: { localId: 'S1', odsCode: 'X26' },
  notBeforeMs: 1000,
  notAfterMs: 2000,
  extendedKeyUsages: [clientAuth],
  distrust: undefined,
  resumed: false,
};
const mailbox = { odsCode: 'X26', delegatedOdsCodes: [] };

function check(options: Partial<CertificateCheckOptions> = {}): ReturnType<typeof createCertificateCheck> {
  return createCertificateCheck({
    machineClock: () => 1500,
    isRevoked: () => false,
    matchMode: 'enforce',
    requireClientAuth: true,
    ...options,
  });
}

describe('the certificate check of a request', () => {
  it('accepts from the first to the last millisecond of validity, and not one more', () => {
    const verdicts = [999, 1000, 2000, 2001].map((nowMs) =>
      check({ machineClock: () => nowMs }).verdict(peer, mailbox),
    );
    expect(verdicts).toMatchObject([
      { ok: false, reason: 'not-yet-valid' },
      { ok: true },
      { ok: true },
      { ok: false, reason: 'expired' },
    ]);
  });

  it('says which refusals the handshake would have made itself', () => {
    expect(check().verdict(undefined, mailbox)).toMatchObject({ reason: 'missing', atHandshake: true });
    expect(check().verdict({ ...peer, distrust: 'CERT_HAS_EXPIRED' }, mailbox)).toMatchObject({
      reason: 'expired',
      atHandshake: true,
    });
    expect(check({ isRevoked: () => true }).verdict(peer, mailbox)).toMatchObject({
      reason: 'revoked',
      atHandshake: false,
    });
  });

  it('refuses a distrusted chain before it looks at anything the certificate says', () => {
    const verdict = check().verdict({ ...peer, distrust: 'SELF_SIGNED_CERT_IN_CHAIN', holder: undefined }, mailbox);
    expect(verdict).toMatchObject({ ok: false, reason: 'untrusted' });
  });

  it('compares organisations without regard to the case the registry was written in', () => {
    expect(check().verdict(peer, { odsCode: 'x26', delegatedOdsCodes: [] })).toEqual({ ok: true });
    expect(check().verdict(peer, { odsCode: 'A1', delegatedOdsCodes: ['b2', 'x26'] })).toEqual({ ok: true });
    expect(check().verdict(peer, { odsCode: 'A1', delegatedOdsCodes: ['X2', 'X266', ''] })).toMatchObject({
      reason: 'other-organisation',
      detail: 'The certificate belongs to X26, which may not act for A1.',
    });
  });

  it('leaves the organisation out where no mailbox is named', () => {
    expect(check().standing({ ...peer, holder: undefined })).toEqual({ ok: true });
    expect(check({ isRevoked: () => true }).standing(peer)).toMatchObject({ reason: 'revoked' });
  });

  it('takes a certificate that states no usage only where told to, and one for servers never', () => {
    const usages = [undefined, [], [serverAuth], [serverAuth, clientAuth]];
    const verdicts = [true, false].map((requireClientAuth) =>
      usages.map((stated) => check({ requireClientAuth }).verdict({ ...peer, extendedKeyUsages: stated }, mailbox).ok),
    );
    expect(verdicts).toEqual([
      [false, false, false, true],
      [true, false, false, true],
    ]);
  });

  it('warns instead of refusing only about the organisation', () => {
    const warn = check({ matchMode: 'warn', machineClock: () => 3000 });
    expect(warn.verdict(peer, mailbox)).toMatchObject({ ok: false, reason: 'expired' });
  });

  it('puts the rule of the mailbox before the general one', () => {
    const verdicts = (['off', 'warn', 'enforce', null] as const).map((certificateMatch) =>
      check({ matchMode: 'enforce' }).verdict(peer, { odsCode: 'A1', delegatedOdsCodes: [], certificateMatch }),
    );
    expect(verdicts.map(({ ok }) => ok)).toEqual([true, true, false, false]);
    expect(verdicts[0]).not.toHaveProperty('warning');
    expect(verdicts[1]).toHaveProperty('warning.reason', 'other-organisation');
  });

  it('translates every word of OpenSSL, and takes an unknown one for distrust', () => {
    expect(['CERT_NOT_YET_VALID', 'CERT_REVOKED', 'INVALID_PURPOSE', 'SOMETHING_NEW'].map(distrustReason)).toEqual([
      'not-yet-valid',
      'revoked',
      'wrong-usage',
      'untrusted',
    ]);
  });
});

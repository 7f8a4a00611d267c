import { X509Certificate } from 'node:crypto';
import type { Credentials } from '../keystore/credentials.ts';
import type { CertificateStatus } from './status.ts';

const dayMs = 86_400_000;

/** When each certificate of the client ends: its own, and those it trusts or passes on. */
export function certificatesOf({ identity, authorities }: Credentials, nowMs: number): readonly CertificateStatus[] {
  const named = [
    ...(identity?.chain.slice(0, 1) ?? []).map((pem) => ['client', pem] as const),
    ...authorities.map((pem, index) => [`authority ${index + 1}`, pem] as const),
  ];
  return named.map(([name, pem]) => {
    const endsMs = Date.parse(new X509Certificate(pem).validTo);
    return { name, endsAt: new Date(endsMs).toISOString(), daysLeft: Math.floor((endsMs - nowMs) / dayMs) };
  });
}

/**
 * The step of the warnings a certificate is at: the last of 90 (`warnDays`), 60, 30, 14 and 7 days that it has reached, then
 * each day by itself. Undefined before the first. A step is said once, and again by a client that was started since.
 */
export function warningStep(daysLeft: number, warnDays: number): number | undefined {
  if (daysLeft > warnDays) return undefined;
  if (daysLeft < 7) return daysLeft;
  return [7, 14, 30, 60].find((step) => daysLeft <= step && step < warnDays) ?? warnDays;
}

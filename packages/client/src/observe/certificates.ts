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

/** Days left at which it is said again: 90, 60, 30, 14, 7, then every day. */
export function isWarningDay(daysLeft: number, warnDays: number): boolean {
  if (daysLeft > warnDays) return false;
  return daysLeft <= 7 || [warnDays, 60, 30, 14].includes(daysLeft);
}

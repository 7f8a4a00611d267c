import { createPrivateKey, X509Certificate } from 'node:crypto';
import { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import type { MeshClientOptions, TlsOptions } from '../options.ts';
import type { TlsSettings } from '../wire/tls.ts';
import { type Check, type CheckName, failed, ok, skipped, warning } from './check.ts';
import type { ServerPresented } from './probe-network.ts';

const dayMs = 86_400_000;
/** Renewing a certificate takes an organisation weeks. */
export const certificateDaysWarned = 90;

/** The server's certificate: whom it names, who issued it, whether this client trusts it, and for how long. */
export function checkServerCertificate(presented: ServerPresented, tls: TlsSettings, nowMs: number): Check {
  const { subject, issuer, problem, protocol, validToMs } = presented;
  const who = `${subject}, issued by ${issuer}, over ${protocol}`;
  if (problem !== undefined && !tls.rejectUnauthorized) {
    const fix = 'Take dangerouslyAcceptAnyServerCertificate away and give the authority’s certificate instead.';
    return warning('server-certificate', `${who}, is not trusted (${problem}), and this client does not care`, fix);
  }
  if (problem !== undefined) return failed('server-certificate', `${who}, is not trusted: ${problem}`, fixOf(problem));
  return withDaysLeft('server-certificate', `${who}, is trusted`, validToMs, nowMs, 'Tell whoever runs the service.');
}

function fixOf(problem: string): string {
  if (problem.includes('ALTNAME'))
    return 'Use the host name the certificate is issued for, or set the server name to it.';
  if (problem.includes('EXPIRED'))
    return 'Tell whoever runs the service; if its certificate is new, check this machine’s clock.';
  return 'Give the certificate of the authority that issued it (the service’s CA file), or check for a proxy that opens TLS.';
}

/** The client's own certificate: whether it and the key belong together, and for how long it is good. */
export function checkClientCertificate(
  { tls }: Pick<MeshClientOptions, 'tls'>,
  { secureContext }: Pick<TlsSettings, 'secureContext'>,
  nowMs: number,
): Check {
  const certificate = tls?.certificate;
  switch (certificate?.kind) {
    case undefined:
      return skipped('client-certificate', 'none is given; a service with mutual TLS will refuse the connection');
    case 'pkcs12':
      return checkOpened(secureContext, nowMs);
    case 'pem':
      return checkPem(certificate, nowMs);
  }
}

function checkPem(certificate: Extract<TlsOptions['certificate'], { kind: 'pem' }>, nowMs: number): Check {
  const own = new X509Certificate(Buffer.from(certificate.certificate));
  const { passphrase } = certificate;
  const key = createPrivateKey({
    key: Buffer.from(certificate.key),
    ...(passphrase === undefined ? {} : { passphrase }),
  });
  if (!own.checkPrivateKey(key)) {
    const fix = 'Give the key the certificate was requested with.';
    return failed('client-certificate', `${nameOf(own)} and the key do not belong together`, fix);
  }
  return checkValidity(own, nowMs);
}

function nameOf({ subject }: X509Certificate): string {
  return /^CN=(.*)$/m.exec(subject)?.[1] ?? 'without a common name';
}

function checkValidity(own: X509Certificate, nowMs: number): Check {
  const name = 'client-certificate';
  const subject = nameOf(own);
  if (Date.parse(own.validFrom) > nowMs) {
    return failed(name, `${subject} is valid from ${own.validFrom}`, 'Wait, or check this machine’s clock.');
  }
  const fix = 'Request a new certificate from whoever issued this one; that takes weeks.';
  return withDaysLeft(name, subject, Date.parse(own.validTo), nowMs, fix);
}

/** Of a PKCS#12 file OpenSSL has opened, and only a socket of its context shows what it found; none is connected. */
function checkOpened(secureContext: SecureContext, nowMs: number): Check {
  const socket = new TLSSocket(new Socket(), { secureContext });
  const own = socket.getX509Certificate();
  socket.destroy();
  if (own === undefined) {
    const fix = 'Make the file anew with the certificate of its key in it.';
    return failed('client-certificate', 'the PKCS#12 file holds no certificate for its key', fix);
  }
  return checkValidity(own, nowMs);
}

function withDaysLeft(name: CheckName, who: string, validToMs: number, nowMs: number, fix: string): Check {
  const days = Math.floor((validToMs - nowMs) / dayMs);
  if (days < 0) return failed(name, `${who}, expired ${-days} days ago`, fix);
  const finding = `${who}, ${days} days left`;
  return days < certificateDaysWarned ? warning(name, finding, fix) : ok(name, finding);
}

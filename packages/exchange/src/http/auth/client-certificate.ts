import type { PeerCertificateFacts } from './peer-certificate.ts';

/** Why a client certificate is refused. Told to the mailbox owner, never to the caller. */
export type CertificateReason =
  | 'missing'
  /** The chain does not lead to an authority we accept. */
  | 'untrusted'
  | 'expired'
  | 'not-yet-valid'
  | 'revoked'
  /** Not issued for TLS client authentication. */
  | 'wrong-usage'
  /** The common name is not `{local_id}.{ods_code}.api.mesh-client.nhs.uk`, so it names no organisation. */
  | 'unparsable-subject'
  /** The certificate belongs to an organisation that may not act for the mailbox. */
  | 'other-organisation';

/** `off`: any accepted certificate may use any mailbox. `warn`: a mismatch is reported. `enforce`: it is refused. */
export type CertificateMatchMode = 'off' | 'warn' | 'enforce';

/** The organisations a request may come from: the mailbox's own, and suppliers that use one certificate for many. */
export interface CertificateRequest {
  readonly odsCode: string;
  readonly delegatedOdsCodes: readonly string[];
  /** The mailbox's own rule, before `matchMode`. */
  readonly certificateMatch?: CertificateMatchMode | null;
}

export type CertificateVerdict =
  | { readonly ok: true; readonly warning?: CertificateRefusal }
  | ({ readonly ok: false; readonly atHandshake: boolean } & CertificateRefusal);

export interface CertificateRefusal {
  readonly reason: CertificateReason;
  /** One sentence for the owner; holds names out of the certificate, no personal data. */
  readonly detail: string;
}

export interface CertificateCheckOptions {
  /** Milliseconds since 1970 of the clock that cannot be moved. */
  machineClock(): number;
  /** Whether the certificate was taken back: by us, or by its authority. Asked on every request, so a look-up in sets. */
  isRevoked(peer: PeerCertificateFacts): boolean;
  /** For mailboxes without a rule of their own. */
  readonly matchMode: CertificateMatchMode;
  /** Refuse certificates that do not state client authentication; false also takes those that state no usage at all. */
  readonly requireClientAuth: boolean;
}

export interface CertificateCheck {
  /** Decides one request; `request` is the mailbox's record. No parsing, and no allocation when all is well. */
  verdict(peer: PeerCertificateFacts | undefined, request: CertificateRequest): CertificateVerdict;
  /** The part that needs no mailbox: for look-ups and pings, which carry no token. */
  standing(peer: PeerCertificateFacts | undefined): CertificateVerdict;
}

const clientAuthUsage = '1.3.6.1.5.5.7.3.2';
const accepted: CertificateVerdict = { ok: true };

/**
 * Builds the check that runs on every request of a mutual TLS listener. OpenSSL looks at a chain once, in the full
 * handshake; a kept-alive connection or a resumed session outlives expiry and revocation, so the decision is taken here.
 *
 * A refusal with `atHandshake` is one the handshake itself would have made: it is seen only when the listener answers
 * unacceptable certificates with 400. The others answer 403.
 */
export function createCertificateCheck(options: CertificateCheckOptions): CertificateCheck {
  const standing = (peer: PeerCertificateFacts | undefined): CertificateVerdict => {
    if (peer === undefined) return refuse('missing', 'The connection presented no client certificate.', true);
    if (peer.distrust !== undefined) return refuseDistrusted(peer.distrust);
    const nowMs = options.machineClock();
    if (nowMs > peer.notAfterMs) return refuse('expired', `The certificate expired at ${iso(peer.notAfterMs)}.`);
    if (nowMs < peer.notBeforeMs) {
      return refuse('not-yet-valid', `The certificate is valid from ${iso(peer.notBeforeMs)}.`);
    }
    if (options.isRevoked(peer)) {
      return refuse('revoked', `The certificate with serial ${peer.serial} is revoked.`);
    }
    if (!statesClientAuth(peer.extendedKeyUsages, options.requireClientAuth)) {
      return refuse('wrong-usage', 'The certificate is not issued for client authentication.');
    }
    return accepted;
  };
  const verdict = (peer: PeerCertificateFacts | undefined, request: CertificateRequest): CertificateVerdict => {
    const first = standing(peer);
    const matchMode = request.certificateMatch ?? options.matchMode;
    if (!first.ok || peer === undefined || matchMode === 'off') return first;
    const mismatch = compareOrganisation(peer, request);
    if (mismatch === undefined) return accepted;
    return matchMode === 'warn' ? { ok: true, warning: mismatch } : { ok: false, atHandshake: false, ...mismatch };
  };
  return { verdict, standing };
}

function compareOrganisation(peer: PeerCertificateFacts, request: CertificateRequest): CertificateRefusal | undefined {
  if (peer.holder === undefined) {
    return { reason: 'unparsable-subject', detail: 'The common name of the certificate names no organisation.' };
  }
  const { odsCode } = peer.holder;
  if (isSameCode(odsCode, request.odsCode)) return undefined;
  if (request.delegatedOdsCodes.some((delegated) => isSameCode(odsCode, delegated))) return undefined;
  return {
    reason: 'other-organisation',
    detail: `The certificate belongs to ${odsCode}, which may not act for ${request.odsCode}.`,
  };
}

/** The holder's code is upper case; the registry's is as its operator wrote it. */
function isSameCode(holderCode: string, registered: string): boolean {
  return holderCode === registered || holderCode === registered.toUpperCase();
}

function statesClientAuth(usages: readonly string[] | undefined, required: boolean): boolean {
  return usages === undefined ? !required : usages.includes(clientAuthUsage);
}

/** What OpenSSL's word for a refused chain means among our reasons. */
export function distrustReason(opensslCode: string): CertificateReason {
  switch (opensslCode) {
    case 'CERT_HAS_EXPIRED':
      return 'expired';
    case 'CERT_NOT_YET_VALID':
      return 'not-yet-valid';
    case 'CERT_REVOKED':
      return 'revoked';
    case 'INVALID_PURPOSE':
      return 'wrong-usage';
    default:
      return 'untrusted';
  }
}

function refuseDistrusted(opensslCode: string): CertificateVerdict {
  return refuse(distrustReason(opensslCode), `The certificate was not accepted: ${opensslCode}.`, true);
}

function refuse(reason: CertificateReason, detail: string, atHandshake = false): CertificateVerdict {
  return { ok: false, reason, detail, atHandshake };
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

import type { TLSSocket } from 'node:tls';
import type { Config } from '../config/config.ts';
import type { Objections } from '../http/admit.ts';
import { createCertificateCheck } from '../http/auth/client-certificate.ts';
import { type PeerCertificateFacts, readPeerFacts } from '../http/auth/peer-certificate.ts';
import { clientAddressOf } from '../http/client-address.ts';
import type { RefusalNotes } from '../http/refusals.ts';
import type { TlsContexts } from '../http/tls/context.ts';
import type { Registry } from '../mailbox/registry.ts';
import type { MailboxRecord } from '../store/ledger/registry.ts';
import type { MachineClock } from './clocks.ts';

/** Where a connection comes from, as records of refusals name it. */
export function whoIs(socket: TLSSocket): { address: string | null; certificateSerial: string | null } {
  const isTls = typeof socket.getPeerX509Certificate === 'function';
  const serial = isTls ? readPeerFacts(socket)?.serial : undefined;
  return { address: clientAddressOf(socket)?.address ?? null, certificateSerial: serial ?? null };
}

/** The fingerprint of a caller's certificate; undefined of one who has none. */
export function fingerprintOf(socket: TLSSocket): string | undefined {
  return typeof socket.getPeerX509Certificate === 'function' ? readPeerFacts(socket)?.fingerprint : undefined;
}

/** Certificates are judged on every request: keep-alive and resumption skip OpenSSL's own checks. */
export function certificateObjections(parts: {
  readonly config: Config;
  readonly contexts: TlsContexts;
  readonly registry: Registry;
  readonly machineClock: MachineClock;
  readonly refusals: RefusalNotes;
}): (socket: TLSSocket) => Objections {
  const { config, contexts, registry, refusals } = parts;
  if (contexts.mode !== 'mutual') {
    const nothing: Objections = { always: undefined, forMailbox: () => undefined };
    return () => nothing;
  }
  const isRevoked = (peer: PeerCertificateFacts): boolean =>
    registry.current().isRevoked(peer.fingerprint) || contexts.isRevoked(peer.serialKey);
  const common = { machineClock: parts.machineClock.nowMs, isRevoked, requireClientAuth: true };
  const checks = {
    off: createCertificateCheck({ ...common, matchMode: 'off' }),
    warn: createCertificateCheck({ ...common, matchMode: 'warn' }),
    enforce: createCertificateCheck({ ...common, matchMode: 'enforce' }),
  };
  const forMailbox = (socket: TLSSocket, mailbox: MailboxRecord): { reason: string; detail: string } | undefined => {
    const mode = mailbox.certificateMatch ?? config.tokens.certificateMatch;
    const verdict = checks[mode].verdict(readPeerFacts(socket), mailbox);
    if (!verdict.ok) return { reason: `certificate-${verdict.reason}`, detail: verdict.detail };
    if (verdict.warning !== undefined) {
      const { reason, detail } = verdict.warning;
      const request = { mailbox: mailbox.mailboxId, operation: null, status: null, correlationId: null };
      refusals.note({ ...request, ...whoIs(socket), reason: `warned-certificate-${reason}`, detail });
    }
    return undefined;
  };
  return (socket) => {
    const standing = checks.off.standing(readPeerFacts(socket));
    const ofMailbox = (mailbox: MailboxRecord): { reason: string; detail: string } | undefined =>
      forMailbox(socket, mailbox);
    if (standing.ok) return { always: undefined, forMailbox: ofMailbox };
    const { reason, detail, atHandshake } = standing;
    const always = { reason: `certificate-${reason}`, detail, status: atHandshake ? 400 : 403 } as const;
    return { always, forMailbox: ofMailbox };
  };
}

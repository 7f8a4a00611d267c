import type { TLSSocket } from 'node:tls';
import { acknowledge } from '../api/machines/acknowledge.ts';
import { checkInbox } from '../api/machines/check-inbox.ts';
import { countInbox } from '../api/machines/count-inbox.ts';
import { downloadChunk, downloadMessage, headMessage } from '../api/machines/download-message.ts';
import { clientUpdate, handshake } from '../api/machines/handshake.ts';
import { health } from '../api/machines/health.ts';
import { lookupEndpoint, searchWorkflow } from '../api/machines/lookup-endpoint.ts';
import { richListing } from '../api/machines/rich-listing.ts';
import { createRouter, type MachineOperations, type Router } from '../api/machines/routes.ts';
import { sendChunk } from '../api/machines/send-chunk.ts';
import { sendMessage } from '../api/machines/send-message.ts';
import { trackOutbox } from '../api/machines/track-outbox.ts';
import type { Config } from '../config/config.ts';
import { createCertificateCheck } from '../http/auth/client-certificate.ts';
import { type PeerCertificateFacts, readPeerFacts } from '../http/auth/peer-certificate.ts';
import { createThrottle } from '../http/auth/throttle.ts';
import { createTokenCheck } from '../http/auth/token-check.ts';
import type { Log } from '../http/log.ts';
import { newCorrelationId } from '../http/log.ts';
import { createMachinesDoor, type DoorParts, type RequestFacts } from '../http/machines-door.ts';
import type { Metrics } from '../http/metrics.ts';
import { clientAddressOf } from '../http/proxy-protocol.ts';
import type { RefusalNotes } from '../http/refusals.ts';
import type { TlsContexts } from '../http/tls/context.ts';
import type { Registry } from '../mailbox/registry.ts';
import type { Sealer } from '../mailbox/sealer.ts';
import type { ServiceClock } from '../message/service-clock.ts';
import type { MailboxRecord } from '../store/ledger/registry.ts';
import type { Ledger } from '../store/ledger.ts';
import type { MachineClock } from './clocks.ts';
import type { Hall } from './hall.ts';

export interface MachinesParts {
  readonly config: Config;
  readonly ledger: Ledger;
  readonly registry: Registry;
  readonly sealer: Sealer;
  readonly hall: Hall;
  readonly clock: ServiceClock;
  readonly machineClock: MachineClock;
  readonly contexts: TlsContexts;
  readonly refusals: RefusalNotes;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly stopping: () => boolean;
  /** Addresses of the sandbox profile, in front of the others. */
  readonly extraRoutes: Router | undefined;
}

/** The machines' door with every operation behind it. */
export function composeMachinesDoor(parts: MachinesParts): ReturnType<typeof createMachinesDoor> {
  const { config, registry, machineClock } = parts;
  const { tokens, throttle, machines } = config;
  return createMachinesDoor({
    route: createRouter(machineOperations(parts), parts.extraRoutes),
    checkToken: createTokenCheck({
      registry,
      sharedKeys: tokens.sharedKeys.map((key) => key.reveal()),
      authMode: tokens.authMode,
      nonceCheck: tokens.nonceCheck,
      timestampCheck: tokens.timestampCheck,
      machineClock,
    }),
    objectionOf: certificateObjections(parts),
    nonces: parts.ledger.nonces,
    mailboxThrottle: createThrottle(throttle.requestsPerSecond, throttle.burst),
    addressThrottle: createThrottle(throttle.unauthenticatedPerSecond, throttle.unauthenticatedPerSecond * 10),
    machineClock,
    newCorrelationId,
    keepAliveSeconds: () => (parts.stopping() ? 0 : Math.floor(machines.keepAliveMs / 1000)),
    drainBytesMax: machines.drainBytesMax,
    done: reportRequest(parts),
    failed: (error, correlationId) => parts.log.error('request-failed', error, { correlationId }),
  });
}

function machineOperations(parts: MachinesParts): MachineOperations {
  const { config, hall, registry, sealer, clock, machineClock } = parts;
  const ledger = parts.ledger.messages;
  const profile = config.wireRules;
  const lookup = { registry, clock, newInternalId: hall.newInternalId };
  const rich = { ledger, registry, sealer, clock, profile };
  return {
    handshake: handshake(parts.ledger.registry, machineClock),
    sendMessage: sendMessage(hall.send, { profile, machineClock }),
    sendChunk: sendChunk(hall.receiveChunk, profile),
    checkInbox: checkInbox(hall.listInbox, ledger),
    countInbox: countInbox(ledger, hall.newInternalId),
    downloadMessage: downloadMessage(hall.download),
    downloadChunk: downloadChunk(hall.download),
    headMessage: headMessage(hall.inspect),
    acknowledge: acknowledge(hall.acknowledge),
    trackOutbox: trackOutbox({ track: hall.track, registry, profile }),
    richInbox: richListing('inbox', rich),
    richOutbox: richListing('outbox', rich),
    clientUpdate: clientUpdate(),
    lookupEndpoint: lookupEndpoint(lookup),
    searchWorkflow: searchWorkflow(lookup),
    health: health(config.environment),
  };
}

/** Certificates are judged on every request: keep-alive and resumption skip OpenSSL's own checks (2a.14). */
function certificateObjections(parts: MachinesParts): DoorParts['objectionOf'] {
  const { config, contexts, registry, machineClock, refusals } = parts;
  if (contexts.mode !== 'mutual') {
    const nothing = { always: undefined, forMailbox: () => undefined };
    return () => nothing;
  }
  const { certificateMatch } = config.tokens;
  const isRevoked = (peer: PeerCertificateFacts): boolean =>
    registry.current().isRevoked(peer.fingerprint) || contexts.isRevoked(peer.serialKey);
  const checks = {
    off: createCertificateCheck({
      machineClock: machineClock.nowMs,
      isRevoked,
      matchMode: 'off',
      requireClientAuth: true,
    }),
    warn: createCertificateCheck({
      machineClock: machineClock.nowMs,
      isRevoked,
      matchMode: 'warn',
      requireClientAuth: true,
    }),
    enforce: createCertificateCheck({
      machineClock: machineClock.nowMs,
      isRevoked,
      matchMode: 'enforce',
      requireClientAuth: true,
    }),
  };
  return (socket: TLSSocket) => {
    const peer = readPeerFacts(socket);
    const standing = checks.off.standing(peer);
    const forMailbox = (mailbox: MailboxRecord): { reason: string; detail: string } | undefined => {
      const verdict = checks[mailbox.certificateMatch ?? certificateMatch].verdict(peer, {
        odsCode: mailbox.odsCode,
        delegatedOdsCodes: mailbox.delegatedOdsCodes,
      });
      if (!verdict.ok) return { reason: `certificate-${verdict.reason}`, detail: verdict.detail };
      if (verdict.warning !== undefined) {
        const { reason, detail } = verdict.warning;
        refusals.note({
          ...anonymous,
          ...whoIs(socket),
          reason: `warned-certificate-${reason}`,
          detail,
          mailbox: mailbox.mailboxId,
        });
      }
      return undefined;
    };
    if (standing.ok) return { always: undefined, forMailbox };
    const { reason, detail, atHandshake } = standing;
    return { always: { reason: `certificate-${reason}`, detail, status: atHandshake ? 400 : 403 }, forMailbox };
  };
}

const anonymous = { mailbox: null, operation: null, status: null, correlationId: null };

function whoIs(socket: TLSSocket): { address: string | null; certificateSerial: string | null } {
  const serial = typeof socket.getPeerX509Certificate === 'function' ? readPeerFacts(socket)?.serial : undefined;
  return { address: clientAddressOf(socket)?.address ?? null, certificateSerial: serial ?? null };
}

/** Counts every request, records every refusal, and logs what the level asks for. */
function reportRequest(parts: MachinesParts): (facts: RequestFacts) => void {
  const { log, metrics, refusals, registry } = parts;
  return (facts) => {
    const { operation, method, status, mailbox, refusal, correlationId, bytesReceived, bytesSent, socket } = facts;
    const durationMs = performance.now() - facts.startedMs;
    metrics.requestFinished(operation, status, durationMs);
    if (bytesReceived > 0) metrics.bytesReceived(bytesReceived);
    if (bytesSent > 0) metrics.bytesSent(bytesSent);
    if (operation === 'send-message' && status === 202) metrics.messagesAccepted(1);
    if (operation === 'acknowledge' && status === 200) metrics.messagesAcknowledged(1);
    if (refusal !== null) {
      metrics.refused(refusal.reason);
      refusals.note({ ...refusal, ...whoIs(socket), mailbox, operation, status, correlationId });
    }
    if (status < 400 && !log.writesSuccesses) return;
    const known = mailbox !== null && registry.current().mailbox(mailbox) !== undefined;
    log.request({
      correlationId,
      operation,
      method,
      status,
      durationMs: Math.round(durationMs),
      bytesReceived,
      bytesSent,
      ...(known ? { mailbox } : {}),
      ...(facts.messageId === null ? {} : { messageId: facts.messageId }),
      ...(refusal === null ? {} : { reason: refusal.reason }),
    });
  };
}

import type { TLSSocket } from 'node:tls';
import { acknowledge } from '../api/machines/acknowledge.ts';
import { checkInbox } from '../api/machines/check-inbox.ts';
import { NotGzip } from '../api/machines/content.ts';
import { countInbox } from '../api/machines/count-inbox.ts';
import { downloadChunk, downloadMessage, headMessage } from '../api/machines/download-message.ts';
import { clientUpdate, handshake } from '../api/machines/handshake.ts';
import { health } from '../api/machines/health.ts';
import { lookupEndpoint, searchWorkflow } from '../api/machines/lookup-endpoint.ts';
import { preflight } from '../api/machines/preflight.ts';
import { richListing } from '../api/machines/rich-listing.ts';
import { createRouter, type MachineOperations, type Router } from '../api/machines/routes.ts';
import { sendChunk } from '../api/machines/send-chunk.ts';
import { sendMessage } from '../api/machines/send-message.ts';
import { showWorkflows } from '../api/machines/show-workflows.ts';
import { trackOutbox } from '../api/machines/track-outbox.ts';
import { type CertificateConnections, trackCertificateConnections } from '../http/auth/certificate-connections.ts';
import { createThrottle } from '../http/auth/throttle.ts';
import { createTokenCheck } from '../http/auth/token-check.ts';
import { clientAddressOf, rememberAddresses } from '../http/client-address.ts';
import { newCorrelationId } from '../http/log.ts';
import { createMachinesDoor, type DoorParts, type RequestFacts } from '../http/machines-door.ts';
import { createMachinesServer } from '../http/machines-listener.ts';
import type { Metrics } from '../http/metrics.ts';
import { acceptProxyProtocol } from '../http/proxy-protocol.ts';
import type { RefusalFacts, RefusalNotes } from '../http/refusals.ts';
import { createShutdown, type Shutdown } from '../http/shutdown.ts';
import { createTlsContexts, type TlsContexts } from '../http/tls/context.ts';
import { describeTlsFailure } from '../http/tls/tls-failure.ts';
import type { WireServer } from '../http/wire/server.ts';
import { certificateObjections, fingerprintOf, whoIs } from './certificates.ts';
import { tlsSettingOf } from './check-tls.ts';
import type { Rooms, Undo } from './rooms.ts';

export interface MachinesParts extends Rooms {
  readonly refusals: RefusalNotes;
  readonly metrics: Metrics;
  /** Addresses of the sandbox profile, in front of the others. */
  readonly extraRoutes: Router | undefined;
}

/** The machines' listener, complete but not yet listening. */
export interface Machines {
  readonly server: WireServer;
  readonly contexts: TlsContexts;
  readonly shutdown: Shutdown;
  /** undefined without TLS. */
  readonly connections: CertificateConnections | undefined;
}

const nameless = { mailbox: null, operation: null, status: null, certificateSerial: null, correlationId: null };

/** Builds the machines' server with every operation behind its door. */
export async function composeMachines(parts: MachinesParts, undo: Undo): Promise<Machines> {
  const { config, log, refusals, metrics, ledger } = parts;
  const { machines } = config;
  /** Whoever never came to make a request: counted and written down as those are who did. */
  const turnAway = (facts: Pick<RefusalFacts, 'reason' | 'detail' | 'address'>): void => {
    metrics.refused(facts.reason);
    refusals.note({ ...nameless, ...facts });
  };
  let connections: CertificateConnections | undefined;
  let trusted: readonly string[] = [];
  const contexts = await createTlsContexts(machines.tls, {
    machineClock: parts.machineClock.nowMs,
    onReload: (outcome) => {
      if (outcome.ok) log.info('certificates-reloaded');
      else log.error('certificates-kept', outcome.fault, { setting: tlsSettingOf(machines.tls, outcome.fault.file) });
      connections?.destroyRevoked((facts) => contexts.isRevoked(facts.serialKey));
      const { authorities } = contexts;
      if (trusted.some((pem) => !authorities.includes(pem))) connections?.destroyUnissued(authorities);
      trusted = authorities;
    },
  });
  trusted = contexts.authorities;
  undo.push(() => contexts.close());
  const stopping = (): boolean => shutdown.stopping;
  const door = createMachinesDoor(doorParts(parts, contexts, stopping));
  const server = createMachinesServer(contexts, machines, door, (socket, reason) => {
    const address = clientAddressOf(socket)?.address ?? null;
    turnAway({ reason, detail: 'what came could not be read as a request', address });
  });
  const { listener } = server;
  rememberAddresses(listener);
  if (contexts.mode !== 'off') {
    listener.on('tlsClientError', (error: Error, socket: TLSSocket) => {
      const failure = describeTlsFailure(error, socket);
      if (failure === undefined) return;
      const { reason, code, says, address } = failure;
      const named = reason === 'handshake' ? 'tls-failed' : `certificate-${reason}`;
      const detail = `TLS was not established: ${says === undefined ? code : `${says} (${code})`}`;
      turnAway({ reason: named, detail, address: address?.address ?? null });
    });
    connections = trackCertificateConnections(listener as Parameters<typeof trackCertificateConnections>[0]);
  }
  if (machines.proxyProtocol === 'v2') {
    acceptProxyProtocol(listener, {
      trusted: machines.trustedProxies,
      onRefused: ({ kind, peer }) =>
        turnAway({ reason: `proxy-${kind}`, detail: 'the PROXY header was refused', address: peer }),
    });
  }
  const inFlight = (): number => ledger.waiting();
  const shutdown = createShutdown({ server, inFlight, limitMs: config.shutdownMs, log });
  return { server, contexts, shutdown, connections };
}

function doorParts(parts: MachinesParts, contexts: TlsContexts, stopping: () => boolean): DoorParts {
  const { config, registry, machineClock } = parts;
  const { tokens, throttle, machines } = config;
  return {
    route: createRouter(machineOperations(parts), parts.extraRoutes),
    checkToken: createTokenCheck({
      registry,
      sharedKeys: tokens.sharedKeys.map((key) => key.reveal()),
      authMode: tokens.authMode,
      nonceCheck: tokens.nonceCheck,
      timestampCheck: tokens.timestampCheck,
      machineClock,
    }),
    objectionOf: certificateObjections({ ...parts, contexts }),
    nonces: parts.ledger.nonces,
    mailboxThrottle: createThrottle(throttle.requestsPerSecond, throttle.burst),
    lookupThrottle: createThrottle(throttle.lookupsPerSecond, throttle.lookupsPerSecond * 10),
    certificateOf: fingerprintOf,
    addressThrottle: createThrottle(throttle.unauthenticatedPerSecond, throttle.unauthenticatedPerSecond * 10),
    machineClock,
    newCorrelationId,
    keepAliveSeconds: () => (stopping() ? 0 : Math.floor(machines.keepAliveMs / 1000)),
    drainBytesMax: machines.drainBytesMax,
    faults: parts.faults,
    done: reportRequest(parts),
    failed: (error, correlationId) => parts.log.error('request-failed', error, { correlationId }),
  };
}

function machineOperations(parts: MachinesParts): MachineOperations {
  const { config, hall, registry, sealer, clock, machineClock } = parts;
  const ledger = parts.ledger.messages;
  const profile = config.wireRules;
  const lookup = { registry, directory: parts.ledger.directory, clock, newInternalId: hall.newInternalId };
  const notGzip = new NotGzip();
  const rich = { ledger, registry, sealer, clock, profile };
  return {
    handshake: handshake(parts.ledger.registry, machineClock),
    sendMessage: sendMessage(hall.send, { profile, machineClock }),
    sendChunk: sendChunk(hall.receiveChunk, profile),
    checkInbox: checkInbox(hall.listInbox, ledger),
    countInbox: countInbox(ledger, hall.newInternalId),
    downloadMessage: downloadMessage(hall.download, notGzip),
    downloadChunk: downloadChunk(hall.download, notGzip),
    headMessage: headMessage(hall.inspect),
    acknowledge: acknowledge(hall.acknowledge),
    trackOutbox: trackOutbox({ track: hall.track, registry, profile }),
    richInbox: richListing('inbox', rich),
    richOutbox: richListing('outbox', rich),
    clientUpdate: clientUpdate(),
    lookupEndpoint: lookupEndpoint(lookup),
    searchWorkflow: searchWorkflow(lookup),
    showWorkflows: showWorkflows('page', lookup),
    listWorkflows: showWorkflows('json', lookup),
    preflight: preflight(hall.route, { profile }),
    health: health(config.environment),
  };
}

/** Counts every request, records every refusal, and logs what the level asks for. */
function reportRequest(parts: MachinesParts): (facts: RequestFacts) => void {
  const { log, metrics, refusals, registry, traces } = parts;
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
    traces?.requestFinished(facts);
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

import type { TLSSocket } from 'node:tls';
import { acceptsGzip, type MailboxId, negotiateVersion, wireError } from '@openmesh/protocol';
import type { CallerRequest, MachineOperation, MachineRequest } from '../api/machines/request.ts';
import type { Matched } from '../api/machines/routes.ts';
import type { NonceClaim, NonceLedger } from '../store/ledger/nonces.ts';
import { withFaults } from './apply-faults.ts';
import type { Throttle } from './auth/throttle.ts';
import type { CertificateObjection, TokenCheck } from './auth/token-check.ts';
import { clientAddressOf } from './client-address.ts';
import { duplicate, type Ending, ended, refusal, tooMany, usedDetail, wrongMethod } from './ending.ts';
import type { FaultScript } from './scripted-faults.ts';
import type { WireRequest } from './wire/connection.ts';

/** What a connection's certificate has against any request at all, and against one for a mailbox. */
export interface Objections {
  readonly always: { readonly reason: string; readonly detail: string; readonly status: 400 | 403 } | undefined;
  readonly forMailbox: CertificateObjection;
}

export interface AdmissionParts {
  readonly checkToken: TokenCheck;
  readonly objectionOf: (socket: TLSSocket) => Objections;
  readonly nonces: NonceLedger;
  readonly mailboxThrottle: Throttle;
  readonly addressThrottle: Throttle;
  /** Of look-ups, for each client certificate. */
  readonly lookupThrottle: Throttle;
  readonly certificateOf: (socket: TLSSocket) => string | undefined;
  readonly machineClock: { nowMs(): number };
  /** Sandbox only. */
  readonly faults: FaultScript | undefined;
}

/** A request whose address was read. */
export interface Arrival {
  readonly request: WireRequest;
  readonly matched: Matched | undefined;
  readonly operation: MachineOperation | undefined;
  /** Canonical; undefined where the path names no mailbox or none that can be. */
  readonly mailbox: MailboxId | undefined;
  readonly query: URLSearchParams;
}

/** The tokens of requests that are being answered right now. */
type InFlight = Set<string>;

/**
 * Takes a request past every check of the porch, in the order of the specification and before anything of it but its headers
 * is read, and then through its operation.
 */
export function createAdmission(parts: AdmissionParts): (arrival: Arrival) => Promise<Ending> {
  const inFlight: InFlight = new Set();

  return async (arrival) => {
    const { request, matched, operation, mailbox } = arrival;
    const { headers } = request.head;
    const accepted = negotiateVersion(headers.get('accept'));
    const version = accepted === 'malformed' ? 1 : accepted;
    const { socket } = request.connection;
    const objections = parts.objectionOf(socket);
    if (objections.always !== undefined) {
      const { reason, detail, status } = objections.always;
      return refusal(
        wireError(status === 400 ? 'client-certificate-required' : 'invalid-token', version),
        reason,
        detail,
      );
    }
    if (matched === undefined) return refusal(wireError('not-found', version), 'path-unknown', 'no such address');
    if (operation === undefined) return wrongMethod(matched, version);
    const nowMs = parts.machineClock.nowMs();
    const subject = { operation: operation.name, mailbox };
    if (operation.access === 'open') {
      const wait = parts.addressThrottle.take(clientAddressOf(socket)?.address ?? '', nowMs);
      if (wait > 0) return tooMany(wait, parts.addressThrottle.perSecond, version);
      const waitOfCertificate = lookupWait(parts, operation, socket, nowMs);
      if (waitOfCertificate > 0) return tooMany(waitOfCertificate, parts.lookupThrottle.perSecond, version);
      if (accepted === 'malformed') return malformedAccept();
      const open = async () => ended(await operation.handle(toMachineRequest(arrival, version)), version);
      return withFaults(parts.faults, subject, version, open);
    }
    if (mailbox === undefined) {
      const answered = wireError('token-mailbox-mismatch', version);
      return refusal(answered, 'mailbox-unreadable', 'the path has no mailbox id');
    }
    const verdict = parts.checkToken(headers.get('authorization'), mailbox, objections.forMailbox);
    if (!verdict.ok) return refusal(wireError(verdict.error, version), verdict.reason, verdict.detail);
    // By the registry's own text: the caller's would keep the whole request it came with.
    const wait = parts.mailboxThrottle.take(verdict.mailbox.mailboxId, nowMs);
    if (wait > 0) return tooMany(wait, parts.mailboxThrottle.perSecond, version);
    if (accepted === 'malformed') return malformedAccept();
    const { nonce } = verdict;
    const caller: CallerRequest = toCallerRequest(arrival, version, verdict.mailbox.mailboxId, nonce);
    const proved = () => serveOnce(inFlight, parts.nonces, operation, caller);
    return parts.faults === undefined ? proved() : withFaults(parts.faults, subject, version, proved);
  };
}

/** One certificate may come from many addresses, and walk the directory with all of them. */
function lookupWait(parts: AdmissionParts, operation: MachineOperation, socket: TLSSocket, nowMs: number): number {
  if (operation.name !== 'lookup-endpoint' && operation.name !== 'search-workflow') return 0;
  const certificate = parts.certificateOf(socket);
  return certificate === undefined ? 0 : parts.lookupThrottle.take(certificate, nowMs);
}

function toMachineRequest({ request, matched, query }: Arrival, version: 1 | 2): MachineRequest {
  const { headers } = request.head;
  return {
    version,
    params: matched?.params ?? [],
    query,
    header: (name) => headers.get(name),
    body: request.body,
    acceptsGzip: acceptsGzip(headers.get('accept-encoding')),
  };
}

/** Written out once more: spreading one request into another costs as much as the whole of a small refusal. */
function toCallerRequest(
  { request, matched, query }: Arrival,
  version: 1 | 2,
  mailbox: MailboxId,
  nonce: NonceClaim | null,
): CallerRequest {
  const { headers } = request.head;
  return {
    version,
    params: matched?.params ?? [],
    query,
    header: (name) => headers.get(name),
    body: request.body,
    acceptsGzip: acceptsGzip(headers.get('accept-encoding')),
    mailbox,
    nonce,
  };
}

function malformedAccept(): Ending {
  return refusal(wireError('accept-malformed', 1), 'accept-malformed', 'the Accept header names no version');
}

/** Two requests with one token at the same time: the second is refused before it does anything. */
async function serveOnce(
  inFlight: InFlight,
  nonces: NonceLedger,
  operation: Exclude<MachineOperation, { access: 'open' }>,
  request: CallerRequest,
): Promise<Ending> {
  const { nonce, version } = request;
  if (nonce === null) return serve(nonces, operation, request);
  const key = `${nonce.mailbox} ${nonce.nonce}`;
  if (inFlight.has(key)) return duplicate(version, 'the token is in use by another request right now');
  inFlight.add(key);
  try {
    return await serve(nonces, operation, request);
  } finally {
    inFlight.delete(key);
  }
}

/** A read's nonce is committed after the answer is ready and before its first byte: a failed request never used it up. */
async function serve(
  nonces: NonceLedger,
  operation: Exclude<MachineOperation, { access: 'open' }>,
  request: CallerRequest,
): Promise<Ending> {
  const { version, nonce } = request;
  const outcome = await operation.handle(request);
  if (outcome.kind === 'nonce-used') return duplicate(version, usedDetail(outcome.seenAtMs));
  if (operation.commitsNonce || nonce === null || outcome.kind === 'refused') return ended(outcome, version);
  const claim = await nonces.claim(nonce);
  return claim.kind === 'claimed' ? ended(outcome, version) : duplicate(version, usedDetail(claim.seenAtMs));
}

import { MeshError } from '../errors/mesh-error.ts';
import { settleLimits } from '../limits.ts';
import { makeSession } from '../make-session.ts';
import type { CallOptions, MeshClientOptions } from '../options.ts';
import type { Session } from '../session.ts';
import { readProxyAddress, readServiceAddress } from '../wire/address.ts';
import { readTls } from '../wire/tls.ts';
import { type Check, checkNames, type Diagnosis, failed, ok } from './check.ts';
import { checkClientCertificate, checkServerCertificate } from './check-certificates.ts';
import { checkService, type WorkflowToCheck } from './check-service.ts';
import { codeOf, type NetworkProbe, probeConnection, probeName, probeTls, skipAll } from './probe-network.ts';

export interface DoctorOptions extends CallOptions {
  /** Also check that somebody receives this workflow. */
  readonly workflow?: WorkflowToCheck | undefined;
  /** Told of each check as it ends. */
  readonly onCheck?: ((check: Check) => void) | undefined;
}

/**
 * Goes the way of a request, step by step, and says of each whether it works and what to do where it does not. Sends no
 * message and changes nothing but the time of the last handshake. Throws only when its signal ends it.
 */
export async function doctor(options: MeshClientOptions, more: DoctorOptions = {}): Promise<Diagnosis> {
  const checks: Check[] = [];
  const note = (...made: readonly Check[]): void => {
    for (const check of made) {
      checks.push(check);
      more.onCheck?.(check);
    }
  };
  const session = openSession(options);
  if (session instanceof MeshError) {
    note(failed('options', session.message, session.hint));
  } else {
    note(ok('options', `${session.mailbox} at ${session.origin}`));
    try {
      await examine(session, options, more, note);
    } finally {
      session.transport.close();
    }
  }
  const done = new Set(checks.map(({ name }) => name));
  note(
    ...skipAll(
      checkNames.filter((name) => !done.has(name)),
      'an earlier check failed',
    ),
  );
  return { checks, isHealthy: checks.every(({ status }) => status !== 'failed') };
}

/** A session that asks once: a doctor reports what happens, and does not wait for it to pass. */
function openSession(options: MeshClientOptions): Session | MeshError {
  try {
    return makeSession({ ...options, retry: { ...options.retry, attempts: 1 } });
  } catch (error) {
    if (error instanceof MeshError) return error;
    if (!(error instanceof RangeError)) throw error;
    return new MeshError({
      code: 'invalid-option',
      operation: 'configure',
      text: error.message,
      class: 'permanent',
      whoCanFix: 'caller',
      hint: 'The text names the option and what it takes.',
    });
  }
}

async function examine(
  session: Session,
  options: MeshClientOptions,
  { workflow, signal }: DoctorOptions,
  note: (...checks: readonly Check[]) => void,
): Promise<void> {
  const limits = settleLimits(options.limits);
  const probe: NetworkProbe = {
    address: readServiceAddress(options.url),
    proxy: options.proxy === undefined ? undefined : readProxyAddress(options.proxy),
    tls: readTls(options.tls),
    timeoutMs: limits.connectMs,
    headerBytesMax: limits.headerBytes,
  };
  const nowMs = session.surroundings.nowMs();
  const name = await probeName(probe);
  note(name);
  if (name.status === 'failed') return;
  const { checks, socket } = await probeConnection(probe);
  note(...checks);
  if (socket === undefined) return;
  signal?.throwIfAborted();
  if (!probe.address.isSecure) {
    socket.destroy();
    note(...skipAll(['server-certificate', 'client-certificate'], 'the connection is plain HTTP'));
  } else {
    const secured = await checkTls(probe, socket, nowMs);
    note(secured);
    note(checkClientCertificate(options, probe.tls, nowMs));
    if (secured.status === 'failed') return;
  }
  note(...(await checkService(session, workflow, signal)));
}

async function checkTls(probe: NetworkProbe, socket: Parameters<typeof probeTls>[1], nowMs: number): Promise<Check> {
  try {
    return checkServerCertificate(await probeTls(probe, socket), probe.tls, nowMs);
  } catch (error) {
    const fix = 'Is it an https:// port? Does the service accept this client certificate, and TLS 1.2 or newer?';
    return failed('server-certificate', `the TLS handshake failed: ${codeOf(error)}`, fix);
  }
}

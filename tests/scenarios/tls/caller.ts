import { once } from 'node:events';
import { connect, type SecureVersion, type TLSSocket } from 'node:tls';
import { type TestIdentity, testCertificates } from '../../kit/certificates.ts';
import type { Finding } from './guarded-server.ts';

export interface CallOptions {
  readonly port: number;
  /** Absent: no certificate is sent. */
  readonly identity?: Pick<TestIdentity, 'cert' | 'key'>;
  readonly version?: SecureVersion;
  /** A session of an earlier call to resume. */
  readonly session?: Buffer | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly ciphers?: string;
  readonly alpn?: readonly string[];
}

export type CallOutcome =
  | {
      readonly status: number;
      readonly finding: Finding;
      readonly session: Buffer | undefined;
      readonly protocol: string | null;
      readonly cipher: string;
      /** SHA-256 of the server's certificate, lower-case hex; Node does not tell it on a resumed session. */
      readonly serverFingerprint: string | undefined;
    }
  /** The connection ended without an answer: `alert N` (a TLS alert of that number), 'closed', or Node's code. */
  | { readonly error: string };

/** An open TLS connection that sends requests one after the other. */
export interface Caller extends Disposable {
  readonly socket: TLSSocket;
  request(headers?: Readonly<Record<string, string>>): Promise<CallOutcome>;
}

/** Opens a connection and reads answers off it byte by byte, so that nothing of a client library hides what happens. */
export async function openCaller(options: CallOptions): Promise<Caller> {
  const { authority } = await testCertificates();
  const { port, identity, version, session, ciphers, alpn } = options;
  const socket = connect({
    host: '127.0.0.1',
    port,
    ca: authority,
    servername: 'localhost',
    ...(identity && { cert: identity.cert, key: identity.key }),
    ...(version && { minVersion: version, maxVersion: version }),
    ...(session && { session }),
    ...(ciphers && { ciphers }),
    ...(alpn && { ALPNProtocols: [...alpn] }),
  });
  let text = '';
  let failure: string | undefined;
  let latestSession: Buffer | undefined;
  let wake: (() => void) | undefined;
  socket.on('session', (ticket: Buffer) => {
    latestSession = ticket;
    wake?.();
  });
  let serverFingerprint: string | undefined;
  socket.on('secureConnect', () => {
    // Node answers this once only on the calling side.
    serverFingerprint = socket.getPeerX509Certificate()?.fingerprint256.replaceAll(':', '').toLowerCase();
  });
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
    wake?.();
  });
  socket.on('error', (cause: NodeJS.ErrnoException) => {
    const alert = /SSL alert number (\d+)/.exec(cause.message)?.[1];
    failure = alert === undefined ? (cause.code ?? cause.message) : `alert ${alert}`;
  });
  socket.on('close', () => {
    failure ??= 'closed';
    wake?.();
  });
  const request = async (headers = options.headers ?? {}): Promise<CallOutcome> => {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`GET / HTTP/1.1\r\nhost: localhost\r\n${lines.join('')}\r\n`);
    for (;;) {
      const answer = takeAnswer(text);
      if (answer !== undefined) {
        text = '';
        return {
          ...answer,
          session: latestSession,
          protocol: socket.getProtocol(),
          cipher: socket.getCipher().name,
          serverFingerprint,
        };
      }
      if (failure !== undefined) return { error: failure };
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { socket, request, [Symbol.dispose]: () => void socket.destroy() };
}

/** One request on a connection of its own. */
export async function call(options: CallOptions): Promise<CallOutcome> {
  using caller = await openCaller(options);
  // Awaited here: the connection is closed on leaving.
  return await caller.request();
}

/** Resolves when the connection is gone. */
export async function gone(caller: Caller): Promise<void> {
  if (!caller.socket.closed) await once(caller.socket, 'close');
}

function takeAnswer(text: string): { status: number; finding: Finding } | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  const status = /^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1];
  if (headEnd === -1 || status === undefined) return undefined;
  const body = text.slice(headEnd + 4).replace(/^[0-9a-f]+\r\n/, '');
  const end = body.indexOf('}');
  if (end === -1) return undefined;
  return { status: Number(status), finding: JSON.parse(body.slice(0, end + 1)) as Finding };
}

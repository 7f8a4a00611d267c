import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Server as SecureServer, TLSSocket } from 'node:tls';
import {
  type CertificateConnections,
  trackCertificateConnections,
} from '@openmesh/exchange/http/auth/certificate-connections.ts';
import { type CertificateMatchMode, createCertificateCheck } from '@openmesh/exchange/http/auth/client-certificate.ts';
import { type PeerCertificateFacts, readPeerFacts } from '@openmesh/exchange/http/auth/peer-certificate.ts';
import {
  createTlsContexts,
  type TlsContexts,
  type TlsOptions,
  type TlsSettings,
} from '@openmesh/exchange/http/tls/context.ts';
import type { ConnectionLimits, WireRequest } from '@openmesh/exchange/http/wire/connection.ts';
import { WireServer } from '@openmesh/exchange/http/wire/server.ts';
import { writeReply } from '@openmesh/exchange/http/write-reply.ts';
import { testCertificates } from '../../kit/certificates.ts';

const bodyBytesMax = 1_000_000;
const usualLimits = {
  connectionsMax: 1000,
  headerBytesMax: 16_384,
  headersTimeoutMs: 60_000,
  requestTimeoutMs: 60_000,
  keepAliveMs: 75_000,
};

/** What the server found out about one request, sent back as its answer. */
export interface Finding {
  readonly ok: boolean;
  readonly reason?: string;
  readonly warning?: string;
  readonly resumed?: boolean;
  readonly serial?: string;
  readonly address?: string;
}

export interface GuardedServer extends AsyncDisposable {
  readonly port: number;
  readonly contexts: TlsContexts;
  readonly server: ReturnType<TlsContexts['createServer']>;
  /** The connection of each request served, in their order. */
  readonly served: readonly Socket[];
  readonly connections: CertificateConnections | undefined;
  /** Fingerprints the exchange itself took back. */
  readonly revoked: Set<string>;
  readonly isRevoked: (peer: PeerCertificateFacts) => boolean;
}

export interface GuardedServerOptions {
  readonly tls?: Partial<Extract<TlsSettings, { mode: 'mutual' }>> | { readonly mode: 'off' | 'server' };
  readonly options?: Partial<TlsOptions>;
  readonly limits?: Partial<ConnectionLimits>;
  readonly matchMode?: CertificateMatchMode;
  readonly requireClientAuth?: boolean;
  /** Last word before the server listens. */
  readonly prepare?: (server: GuardedServer['server']) => void;
}

/** A server with the real contexts and the real check, for a mailbox of X26 that lets Z01 act for it. */
export async function startGuardedServer(given: GuardedServerOptions = {}): Promise<GuardedServer> {
  const { authorityFile, server: identity } = await testCertificates();
  const machineClock = given.options?.machineClock ?? Date.now;
  const settings = {
    mode: 'mutual',
    certificateFile: identity.certificateFile,
    keyFile: identity.keyFile,
    caFile: authorityFile,
    missingClientCertificate: 'tls-alert',
    ...given.tls,
  } as TlsSettings;
  const contexts = await createTlsContexts(settings, { ...given.options, machineClock });
  const revoked = new Set<string>();
  const isRevoked = (peer: PeerCertificateFacts): boolean =>
    revoked.has(peer.fingerprint) || contexts.isRevoked(peer.serialKey);
  const check = createCertificateCheck({
    machineClock,
    isRevoked,
    matchMode: given.matchMode ?? 'enforce',
    requireClientAuth: given.requireClientAuth ?? true,
  });
  const server = contexts.createServer();
  const connections = server instanceof SecureServer ? trackCertificateConnections(server) : undefined;
  const served: Socket[] = [];
  const handle = async (request: WireRequest): Promise<void> => {
    const { socket } = request.connection;
    served.push(socket);
    const peer = socket instanceof TLSSocket ? readPeerFacts(socket) : undefined;
    const verdict =
      contexts.mode === 'mutual'
        ? check.verdict(peer, { odsCode: 'X26', delegatedOdsCodes: ['Z01'] })
        : ({ ok: true } as const);
    const finding: Finding = {
      ok: verdict.ok,
      ...(verdict.ok ? verdict.warning && { warning: verdict.warning.reason } : { reason: verdict.reason }),
      ...(peer && { resumed: peer.resumed, serial: peer.serial }),
    };
    await answer(request, verdict.ok ? 200 : verdict.atHandshake ? 400 : 403, finding);
  };
  const web = new WireServer(server, {
    limits: { ...usualLimits, ...given.limits },
    handle,
    unreadable: () => undefined,
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  given.prepare?.(server);
  return {
    port: await web.listen('127.0.0.1', 0),
    contexts,
    server,
    served,
    connections,
    revoked,
    isRevoked,
    async [Symbol.asyncDispose]() {
      await contexts.close();
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function answer(request: WireRequest, status: number, finding: Finding): Promise<void> {
  const reply = {
    kind: 'plain',
    status,
    headers: [['content-type', 'application/json']],
    body: JSON.stringify(finding),
  } as const;
  await writeReply(request, reply, { keepAliveSeconds: 75 });
  request.connection.finish(await request.body.drain(bodyBytesMax));
}

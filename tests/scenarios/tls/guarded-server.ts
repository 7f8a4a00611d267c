import { once } from 'node:events';
import type { IncomingMessage, ServerOptions, ServerResponse } from 'node:http';
import { Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
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
import { testCertificates } from '../../kit/certificates.ts';

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
  readonly connections: CertificateConnections | undefined;
  /** Fingerprints the exchange itself took back. */
  readonly revoked: Set<string>;
  readonly isRevoked: (peer: PeerCertificateFacts) => boolean;
}

export interface GuardedServerOptions {
  readonly tls?: Partial<Extract<TlsSettings, { mode: 'mutual' }>> | { readonly mode: 'off' | 'server' };
  readonly options?: Partial<TlsOptions>;
  readonly http?: ServerOptions;
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
  const server = contexts.createServer(given.http ?? {});
  const connections = server instanceof SecureServer ? trackCertificateConnections(server) : undefined;
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const peer = request.socket instanceof TLSSocket ? readPeerFacts(request.socket) : undefined;
    const verdict =
      contexts.mode === 'mutual'
        ? check.verdict(peer, { odsCode: 'X26', delegatedOdsCodes: ['Z01'] })
        : ({ ok: true } as const);
    const finding: Finding = {
      ok: verdict.ok,
      ...(verdict.ok ? verdict.warning && { warning: verdict.warning.reason } : { reason: verdict.reason }),
      ...(peer && { resumed: peer.resumed, serial: peer.serial }),
    };
    request.resume();
    response.writeHead(verdict.ok ? 200 : verdict.atHandshake ? 400 : 403, { 'content-type': 'application/json' });
    response.end(JSON.stringify(finding));
  });
  given.prepare?.(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    contexts,
    server,
    connections,
    revoked,
    isRevoked,
    async [Symbol.asyncDispose]() {
      await contexts.close();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

import { X509Certificate } from 'node:crypto';
import type { Server, TLSSocket } from 'node:tls';
import { type PeerCertificateFacts, readPeerFacts } from './peer-certificate.ts';

export interface CertificateConnections {
  /**
   * Ends at once every open connection whose certificate `isRevoked` names, in the middle of a request if need be.
   * Call it when a set of revoked certificates changed. Answers how many connections were ended.
   */
  destroyRevoked(isRevoked: (facts: PeerCertificateFacts) => boolean): number;
  /**
   * Ends at once every open connection whose certificate none of these authorities issued. Call it when an authority
   * was taken away. A caller whose chain leads to one of them over another certificate has to come again, and may.
   */
  destroyUnissued(authorityPems: readonly string[]): number;
}

/** Keeps the open connections of a server by certificate. Call it before the server listens. */
export function trackCertificateConnections(server: Server): CertificateConnections {
  const open = new Map<string, { facts: PeerCertificateFacts; sockets: Set<TLSSocket> }>();
  server.on('secureConnection', (socket) => {
    const facts = readPeerFacts(socket);
    if (facts === undefined) return;
    const known = open.get(facts.fingerprint) ?? { facts, sockets: new Set() };
    open.set(facts.fingerprint, known);
    known.sockets.add(socket);
    socket.once('close', () => {
      known.sockets.delete(socket);
      if (known.sockets.size === 0) open.delete(facts.fingerprint);
    });
  });
  const destroyWhere = (matches: (facts: PeerCertificateFacts, sockets: ReadonlySet<TLSSocket>) => boolean): number => {
    let ended = 0;
    for (const { facts, sockets } of open.values()) {
      if (!matches(facts, sockets)) continue;
      for (const socket of sockets) socket.destroy();
      ended += sockets.size;
    }
    return ended;
  };
  return {
    destroyRevoked: (isRevoked) => destroyWhere((facts) => isRevoked(facts)),
    destroyUnissued(authorityPems) {
      const authorities = authorityPems.map((pem) => new X509Certificate(pem));
      return destroyWhere((_facts, sockets) => !isIssuedBy(authorities, sockets));
    },
  };
}

/** All of the connections have the same certificate; of one that is ending it cannot be asked any more. */
function isIssuedBy(authorities: readonly X509Certificate[], sockets: ReadonlySet<TLSSocket>): boolean {
  for (const socket of sockets) {
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined) continue;
    return authorities.some(
      (authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey),
    );
  }
  return true;
}

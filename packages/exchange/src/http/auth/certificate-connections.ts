import type { Server, TLSSocket } from 'node:tls';
import { type PeerCertificateFacts, readPeerFacts } from './peer-certificate.ts';

export interface CertificateConnections {
  /**
   * Ends at once every open connection whose certificate `isRevoked` names, in the middle of a request if need be.
   * Call it when a set of revoked certificates changed. Answers how many connections were ended.
   */
  destroyRevoked(isRevoked: (facts: PeerCertificateFacts) => boolean): number;
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
  return {
    destroyRevoked(isRevoked) {
      let ended = 0;
      for (const { facts, sockets } of open.values()) {
        if (!isRevoked(facts)) continue;
        for (const socket of sockets) socket.destroy();
        ended += sockets.size;
      }
      return ended;
    },
  };
}

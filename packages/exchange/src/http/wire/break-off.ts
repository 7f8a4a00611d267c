import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/**
 * Ends a connection so that nobody takes what came of an answer for whole: to a caller of HTTP/1.0 an orderly end says
 * that it was. TLS ends without its farewell then, TCP with a reset. A socket whose end was begun is not reset: Node would
 * never let go of it.
 */
export function breakOff(socket: Socket): void {
  if (!(socket instanceof TLSSocket) && !socket.writableEnded) socket.resetAndDestroy();
  // At once: a reset waits for what is still to be written otherwise.
  socket.destroy();
}

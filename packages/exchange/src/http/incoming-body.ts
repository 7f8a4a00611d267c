import type { IncomingMessage } from 'node:http';
import { BodyAborted, type IncomingBody } from '../message/incoming-body.ts';
import { countBodyGarbage } from './body-garbage.ts';

/** What a taker says of a piece: go on, stop here, or go on when this is done. */
type Taken = 'more' | 'enough' | Promise<void>;

/**
 * The body of a request, read by its events: an asynchronous iterator over the stream costs more than the whole rest of
 * a small request. Pauses the socket whenever the taker asks for it, so memory never holds more than it took.
 */
export function incomingBody(request: IncomingMessage): IncomingBody {
  const declared = Number(request.headers['content-length'] ?? Number.NaN);
  return {
    declaredBytes: Number.isSafeInteger(declared) && declared >= 0 ? declared : undefined,
    async head(bytesMax) {
      // Pieces are copied as they come: a body sent a byte at a time would else be held as thousands of buffers.
      let held = new Uint8Array(0);
      let length = 0;
      const ended = await pump(request, (piece) => {
        const needed = length + piece.length;
        if (needed > held.length) {
          const larger = new Uint8Array(Math.max(needed, 2 * length));
          larger.set(held.subarray(0, length));
          held = larger;
        }
        held.set(piece, length);
        length = needed;
        return length > bytesMax ? 'enough' : 'more';
      });
      return { bytes: held.length === length ? held : held.slice(0, length), ended };
    },
    async rest(take) {
      await pump(request, (piece) => {
        countBodyGarbage(piece.length);
        return take(piece) ?? 'more';
      });
    },
  };
}

/** Feeds pieces to `take` until it answers 'enough' (false) or the body ends (true). Rejects when the caller goes. */
function pump(request: IncomingMessage, take: (piece: Buffer) => Taken): Promise<boolean> {
  if (request.readableEnded) return Promise.resolve(true);
  if (request.destroyed) return Promise.reject(new BodyAborted());
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      request.off('data', onData);
      request.off('end', onEnd);
      request.off('error', onGone);
      request.off('close', onGone);
      request.pause();
    };
    const onEnd = (): void => {
      settle();
      resolve(true);
    };
    const onFault = (error: unknown): void => {
      settle();
      reject(error instanceof Error ? error : new BodyAborted());
    };
    const onGone = (): void => onFault(new BodyAborted());
    const onData = (piece: Buffer): void => {
      try {
        const taken = take(piece);
        if (taken === 'enough') {
          settle();
          resolve(false);
        } else if (taken !== 'more') {
          request.pause();
          taken.then(() => request.resume(), onFault);
        }
      } catch (error) {
        onFault(error);
      }
    };
    request.on('data', onData);
    request.on('end', onEnd);
    request.on('error', onGone);
    request.on('close', onGone);
    request.resume();
  });
}

/**
 * Reads and drops what is left of a refused request's body, up to `bytesMax`, so that the caller sees the status and
 * not a reset connection. Resolves to false when there was more: the connection must then be closed.
 */
export async function drain(request: IncomingMessage, bytesMax: number): Promise<boolean> {
  const { 'content-length': declared, 'transfer-encoding': encoding } = request.headers;
  if (declared === undefined && encoding === undefined) return true;
  if (Number(declared ?? 0) > bytesMax) return false;
  let left = bytesMax;
  try {
    return await pump(request, (piece) => {
      left -= piece.length;
      return left < 0 ? 'enough' : 'more';
    });
  } catch {
    // Nobody is left to answer; whoever writes the answer finds that out.
    return true;
  }
}

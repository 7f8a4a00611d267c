import type { IncomingMessage } from 'node:http';
import { BodyAborted, type IncomingBody } from '../message/incoming-body.ts';

const nothing = new Uint8Array(new ArrayBuffer(0));

/**
 * The body of a request, read by its events: an asynchronous iterator over the stream costs more than the whole rest of
 * a small request. Pauses the socket whenever the taker asks for it, so memory never holds more than it took.
 */
export function incomingBody(request: IncomingMessage): IncomingBody {
  const declared = Number(request.headers['content-length']);
  let ended = false;

  /** Feeds pieces to `take` until it answers 'enough' or the body ends. */
  const pump = (take: (piece: Buffer) => 'more' | 'enough' | Promise<void>): Promise<void> =>
    new Promise((resolve, reject) => {
      const settle = (finish: () => void): void => {
        request.off('data', onData);
        request.off('end', onEnd);
        request.off('error', onGone);
        request.off('close', onGone);
        request.pause();
        finish();
      };
      const onEnd = (): void => {
        ended = true;
        settle(resolve);
      };
      const onGone = (): void => settle(() => reject(new BodyAborted()));
      const fail = (error: unknown): void => settle(() => reject(error instanceof Error ? error : new BodyAborted()));
      const onData = (piece: Buffer): void => {
        try {
          const answer = take(piece);
          if (answer === 'more') return;
          if (answer === 'enough') {
            settle(resolve);
            return;
          }
          request.pause();
          answer.then(() => request.resume(), fail);
        } catch (error) {
          fail(error);
        }
      };
      if (request.readableEnded) {
        onEnd();
        return;
      }
      if (request.destroyed) {
        onGone();
        return;
      }
      request.on('data', onData);
      request.on('end', onEnd);
      request.on('error', onGone);
      request.on('close', onGone);
      request.resume();
    });

  return {
    declaredBytes: Number.isSafeInteger(declared) && declared >= 0 ? declared : undefined,
    async head(bytesMax) {
      if (declared === 0) {
        await pump(() => 'more');
        return { bytes: nothing, ended };
      }
      const pieces: Buffer[] = [];
      let length = 0;
      await pump((piece) => {
        pieces.push(piece);
        length += piece.length;
        return length > bytesMax ? 'enough' : 'more';
      });
      const bytes = new Uint8Array(length);
      let offset = 0;
      for (const piece of pieces) {
        bytes.set(piece, offset);
        offset += piece.length;
      }
      return { bytes, ended };
    },
    async rest(take) {
      if (ended) return;
      await pump((piece) => take(piece) ?? 'more');
    },
  };
}

/**
 * Reads and drops what is left of a refused request's body, up to `bytesMax`, so that the caller sees the status and
 * not a reset connection (mesh-api 1.4). Resolves to false when there was more: the connection must then be closed.
 */
export async function drain(request: IncomingMessage, bytesMax: number): Promise<boolean> {
  if (request.readableEnded || request.destroyed) return true;
  const declared = Number(
    request.headers['content-length'] ?? (request.headers['transfer-encoding'] === undefined ? 0 : Number.NaN),
  );
  if (declared === 0) return true;
  if (declared > bytesMax) return false;
  let left = bytesMax;
  return new Promise((resolve) => {
    const finish = (drained: boolean): void => {
      request.off('data', onData);
      request.off('end', onEnd);
      request.off('error', onGone);
      request.off('close', onGone);
      if (!drained) request.pause();
      resolve(drained);
    };
    const onData = (piece: Buffer): void => {
      left -= piece.length;
      if (left < 0) finish(false);
    };
    const onEnd = (): void => finish(true);
    const onGone = (): void => finish(true);
    request.on('data', onData);
    request.on('end', onEnd);
    request.on('error', onGone);
    request.on('close', onGone);
    request.resume();
  });
}

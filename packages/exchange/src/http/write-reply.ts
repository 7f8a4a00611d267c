import type { ServerResponse } from 'node:http';
import type { PlainReply, Reply } from '../api/machines/request.ts';
import type { BodyBlock } from '../store/bodies.ts';

export interface ConnectionHeaders {
  /** Whole seconds an idle connection is kept; 0 closes it after this answer. */
  readonly keepAliveSeconds: number;
}

/** Names are written in lower case: one widespread client compares them so. */
function headerList(reply: Reply, length: number | undefined, { keepAliveSeconds }: ConnectionHeaders): string[] {
  const list: string[] = [];
  for (const [name, value] of reply.headers) list.push(name, value);
  if (length !== undefined) list.push('content-length', String(length));
  list.push('date', httpDateNow());
  if (keepAliveSeconds === 0) list.push('connection', 'close');
  else list.push('connection', 'keep-alive', 'keep-alive', `timeout=${keepAliveSeconds}`);
  return list;
}

let dateText = '';
let dateSecond = 0;

/** The date of the answer, made once a second. */
function httpDateNow(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = new Date(second * 1000).toUTCString();
  }
  return dateText;
}

/**
 * Writes an answer; resolves to the number of body bytes once they are handed to the socket. A body that cannot be read
 * to its end destroys the connection before its announced length is reached, so that no caller takes it for whole;
 * rejects then with the cause.
 */
export async function writeReply(
  response: ServerResponse,
  reply: Reply,
  connection: ConnectionHeaders,
): Promise<number> {
  response.sendDate = false;
  // A caller that ends its connections by itself, or speaks HTTP/1.0, waits for ours to end.
  const kept = response.shouldKeepAlive ? connection : { keepAliveSeconds: 0 };
  switch (reply.kind) {
    case 'plain':
      return writePlain(response, reply, kept);
    case 'blocks':
      return writePieces(response, [reply.status, headerList(reply, reply.lengthBytes, kept)], reply.blocks);
    case 'stream':
      return writePieces(response, [reply.status, headerList(reply, undefined, kept)], reply.pieces);
  }
}

function writePlain(response: ServerResponse, reply: PlainReply, connection: ConnectionHeaders): number {
  const length = typeof reply.body === 'string' ? Buffer.byteLength(reply.body) : reply.body.length;
  response.writeHead(reply.status, headerList(reply, length, connection));
  if (reply.withoutBody === true || length === 0) {
    response.end();
    return 0;
  }
  response.end(reply.body);
  return length;
}

/**
 * The first piece is read and checked before the status line is written: damage there is an error, not a torn body.
 * A piece that borrows memory gives it back once it was sent, or once nobody is left to send it to.
 */
async function writePieces(
  response: ServerResponse,
  head: readonly [status: number, headers: string[]],
  source: AsyncIterable<Uint8Array | BodyBlock>,
): Promise<number> {
  const pieces = source[Symbol.asyncIterator]();
  try {
    let step = await pieces.next();
    response.writeHead(...head);
    let sent = 0;
    while (step.done !== true) {
      const piece = step.value;
      const bytes = piece instanceof Uint8Array ? piece : piece.bytes;
      try {
        await push(response, bytes);
      } finally {
        if (!(piece instanceof Uint8Array)) piece.release();
      }
      sent += bytes.length;
      step = await pieces.next();
    }
    response.end();
    return sent;
  } catch (error) {
    if (response.headersSent) response.destroy();
    throw error;
  } finally {
    await pieces.return?.();
  }
}

/** Resolves when the bytes have left our hands: only then may their memory be used again. */
function push(response: ServerResponse, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    if (response.destroyed) {
      reject(new CallerGone());
      return;
    }
    const onClose = (): void => reject(new CallerGone());
    response.once('close', onClose);
    response.write(bytes, (error) => {
      response.off('close', onClose);
      if (error === null || error === undefined) resolve();
      else reject(new CallerGone());
    });
  });
}

/** Nobody is left to answer. */
export class CallerGone extends Error {
  constructor() {
    super('the caller closed the connection before the answer was sent');
    this.name = 'CallerGone';
  }
}

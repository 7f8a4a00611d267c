import { STATUS_CODES } from 'node:http';
import type { PlainReply, Reply } from '../api/machines/request.ts';
import type { BodyBlock } from '../store/bodies.ts';
import type { WireRequest } from './wire/connection.ts';

export interface ConnectionHeaders {
  /** Whole seconds an idle connection is kept; 0 closes it after this answer. */
  readonly keepAliveSeconds: number;
}

/** Controls and what is not Latin-1: a value that holds them could be read as another header. */
const forbiddenInValue = /[^\t\x20-\x7e\x80-\xff]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: everything in ASCII, controls included.
const onlyAscii = /^[\0-\x7f]*$/;

/** Names are written in lower case: one widespread client compares them so. */
function headText(reply: Reply, framing: string, keepAliveSeconds: number): string {
  let head = statusLine(reply.status);
  for (const [name, value] of reply.headers) {
    if (forbiddenInValue.test(value)) throw new Error(`the header ${name} has a value that no header may have`);
    head += `${name}: ${value}\r\n`;
  }
  const ending =
    keepAliveSeconds === 0
      ? 'connection: close\r\n\r\n'
      : `connection: keep-alive\r\nkeep-alive: timeout=${keepAliveSeconds}\r\n\r\n`;
  return `${head}${framing}${dateLine()}${ending}`;
}

const statusLines = new Map(
  Object.entries(STATUS_CODES).map(([status, reason]) => [Number(status), `HTTP/1.1 ${status} ${reason}\r\n`]),
);

function statusLine(status: number): string {
  return statusLines.get(status) ?? `HTTP/1.1 ${status} \r\n`;
}

let dateText = '';
let dateSecond = 0;

/** The date of the answer, made once a second. */
function dateLine(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateText = `date: ${new Date(second * 1000).toUTCString()}\r\n`;
  }
  return dateText;
}

/**
 * Writes an answer; resolves to the number of body bytes once they are handed to the socket. A body that cannot be read
 * to its end destroys the connection before its announced length is reached, so that no caller takes it for whole;
 * rejects then with the cause. Rejects with `CallerGone` when nobody is left.
 */
export async function writeReply(request: WireRequest, reply: Reply, wanted: ConnectionHeaders): Promise<number> {
  // A caller that ends its connections by itself, or speaks HTTP/1.0, waits for ours to end.
  const seconds = request.connection.keepsAlive ? wanted.keepAliveSeconds : 0;
  switch (reply.kind) {
    case 'plain':
      return writePlain(request, reply, seconds);
    case 'blocks': {
      const head = headText(reply, `content-length: ${reply.lengthBytes}\r\n`, seconds);
      return writePieces(request, { head, seconds, chunked: false }, reply.blocks);
    }
    case 'stream': {
      const chunked = request.head.minorVersion === 1;
      const keptSeconds = chunked ? seconds : 0;
      const head = headText(reply, chunked ? 'transfer-encoding: chunked\r\n' : '', keptSeconds);
      return writePieces(request, { head, seconds: keptSeconds, chunked }, reply.pieces);
    }
  }
}

function writePlain({ head, connection }: WireRequest, reply: PlainReply, seconds: number): number {
  const { body } = reply;
  const ascii = typeof body === 'string' && onlyAscii.test(body);
  const bytes = typeof body === 'string' && !ascii ? Buffer.from(body, 'utf8') : body;
  const text = headText(reply, `content-length: ${bytes.length}\r\n`, seconds);
  const keep = seconds > 0;
  if (reply.withoutBody === true || head.method === 'HEAD' || bytes.length === 0) {
    connection.begin(text, keep);
    return 0;
  }
  connection.begin(typeof bytes === 'string' ? text + bytes : joined(text, bytes), keep);
  return bytes.length;
}

/** Head and body in one piece of memory: one write, and one record where it fits. */
function joined(head: string, body: Uint8Array): Buffer {
  const all = Buffer.allocUnsafe(head.length + body.length);
  all.write(head, 0, 'latin1');
  all.set(body, head.length);
  return all;
}

interface PiecesHead {
  readonly head: string;
  readonly seconds: number;
  readonly chunked: boolean;
}

/**
 * The first piece is read and checked before the status line is written: damage there is an error, not a torn body.
 * A piece that borrows memory gives it back once it was sent, or once nobody is left to send it to.
 */
async function writePieces(
  request: WireRequest,
  { head, seconds, chunked }: PiecesHead,
  source: AsyncIterable<Uint8Array | BodyBlock>,
): Promise<number> {
  const { connection } = request;
  const pieces = source[Symbol.asyncIterator]();
  try {
    let step = await pieces.next();
    connection.begin(head, seconds > 0);
    let sent = 0;
    while (step.done !== true) {
      const piece = step.value;
      const bytes = piece instanceof Uint8Array ? piece : piece.bytes;
      try {
        if (chunked) await connection.push(transferChunk(bytes));
        else await connection.push(bytes);
      } finally {
        if (!(piece instanceof Uint8Array)) piece.release();
      }
      sent += bytes.length;
      step = await pieces.next();
    }
    if (chunked) await connection.push(lastTransferChunk);
    return sent;
  } catch (error) {
    if (connection.headSent) connection.abort();
    throw error;
  } finally {
    await pieces.return?.();
  }
}

const lastTransferChunk = Buffer.from('0\r\n\r\n', 'latin1');

function transferChunk(bytes: Uint8Array): Buffer {
  // An empty chunk would be read as the last one.
  if (bytes.length === 0) return Buffer.alloc(0);
  const size = `${bytes.length.toString(16)}\r\n`;
  const chunk = Buffer.allocUnsafe(size.length + bytes.length + 2);
  chunk.write(size, 0, 'latin1');
  chunk.set(bytes, size.length);
  chunk.write('\r\n', size.length + bytes.length, 'latin1');
  return chunk;
}

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectSecure } from 'node:tls';
import { testCertificates } from './certificates.ts';
import type { ExchangeInProcess } from './running-exchange.ts';

/** One answer as bytes: nothing is normalised. Text is Latin-1, one character for each byte. */
export interface RawAnswer {
  readonly status: number;
  /** The status line and the headers as they came, without the empty line behind them. */
  readonly head: string;
  readonly body: Buffer;
  /** The value of the header spelled exactly so; undefined when there is none. */
  header(name: string): string | undefined;
}

const bytesMax = 64 * 1024 * 1024;

/** A socket to the machines' listener on which a test writes what it likes and reads what comes. */
export class RawConnection implements AsyncDisposable {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      if (this.#received.length > bytesMax) socket.destroy();
      this.#wake();
    });
    // A reset is an end like any other: what arrived before it is what counts.
    socket.on('error', () => undefined);
    socket.on('close', () => this.#end());
    socket.on('end', () => this.#end());
  }

  static async open(exchange: ExchangeInProcess): Promise<RawConnection> {
    const { port, tls } = exchange;
    if (tls === 'off') {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      return new RawConnection(socket);
    }
    const { authority, clients } = await testCertificates();
    const { cert, key } = clients.x26;
    const socket = connectSecure({ port, host: '127.0.0.1', ca: authority, cert, key, servername: 'localhost' });
    await once(socket, 'secureConnect');
    return new RawConnection(socket);
  }

  /** Hands bytes to the connection; a text is Latin-1. Resolves when they have left, or cannot leave any more. */
  send(bytes: string | Uint8Array): Promise<void> {
    const buffer = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
    return new Promise((resolve) => {
      this.#socket.write(buffer, () => resolve());
    });
  }

  /** Ends our half of the connection. */
  finish(): void {
    this.#socket.end();
  }

  /** The next answer; `undefined` when the connection ended before a whole one came. A HEAD's answer has no body. */
  async answer(to: 'GET' | 'HEAD' = 'GET'): Promise<RawAnswer | undefined> {
    for (;;) {
      const taken = takeAnswer(this.#received, to);
      if (taken !== undefined) {
        this.#received = this.#received.subarray(taken.length);
        return taken.answer;
      }
      if (this.#ended) return undefined;
      await this.#more();
    }
  }

  /** Everything that comes until the other side ends, as Latin-1 text. */
  async rest(): Promise<string> {
    while (!this.#ended) await this.#more();
    return this.#received.toString('latin1');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.closed) return;
    const closed = once(this.#socket, 'close');
    this.#socket.destroy();
    await closed;
  }

  #end(): void {
    this.#ended = true;
    this.#wake();
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

function takeAnswer(bytes: Buffer, to: 'GET' | 'HEAD'): { answer: RawAnswer; length: number } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd === -1) return undefined;
  const head = bytes.toString('latin1', 0, headEnd);
  const status = Number(/^HTTP\/1\.[01] (\d{3}) /.exec(head)?.[1]);
  const header = (name: string): string | undefined => new RegExp(`\r\n${name}: ([^\r]*)`).exec(head)?.[1];
  const bodyAt = headEnd + 4;
  const bodiless = to === 'HEAD' || status < 200;
  const length = bodiless ? 0 : Number(header('content-length') ?? Number.NaN);
  if (Number.isNaN(length)) {
    const chunked = takeChunks(bytes, bodyAt);
    return chunked === undefined ? undefined : { answer: { status, head, body: chunked.body, header }, ...chunked };
  }
  if (bytes.length < bodyAt + length) return undefined;
  return {
    answer: { status, head, body: bytes.subarray(bodyAt, bodyAt + length), header },
    length: bodyAt + length,
  };
}

function takeChunks(bytes: Buffer, start: number): { body: Buffer; length: number } | undefined {
  const pieces: Buffer[] = [];
  let at = start;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd === -1) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    const pieceAt = lineEnd + 2;
    if (bytes.length < pieceAt + size + 2) return undefined;
    if (size === 0) return { body: Buffer.concat(pieces), length: pieceAt + 2 };
    pieces.push(bytes.subarray(pieceAt, pieceAt + size));
    at = pieceAt + size + 2;
  }
}

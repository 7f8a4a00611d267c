import type { OnReadOpts } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { Credentials } from './certificates.ts';
import type { LargePayload } from './payload.ts';
import { ResponseParser } from './response-parser.ts';

export interface ClientAnswer {
  readonly status: number;
  /** The body as text, of an answer that is not the payload. */
  readonly text: string;
}

export interface ConnectionTarget {
  readonly port: number;
  readonly credentials: Credentials;
  /** What uploads send and downloads must be. */
  readonly payload: LargePayload;
  /** 256 KiB unless told; less where thousands of connections are open. */
  readonly readBufferBytes?: number;
}

const readBufferBytesDefault = 256 * 1024;
const answerTextBytesMax = 64 * 1024;
/** Pieces handed to the socket and not yet taken by the kernel: two, so that one is encrypted while one is sent. */
const piecesInFlightMax = 2;

/**
 * One keep-alive mutual TLS connection that asks one request at a time: large bodies both ways, checking every byte
 * received, and small questions.
 */
export class ClientConnection {
  readonly #socket: TLSSocket;
  readonly #payload: LargePayload;
  readonly #parser: ResponseParser;
  #answer: PromiseWithResolvers<ClientAnswer> | undefined;
  #expected = { position: 0, bytes: -1 };
  #status = 0;
  #text = '';
  #received = 0;

  private constructor(options: ConnectionOptions, payload: LargePayload, readBufferBytes: number) {
    this.#payload = payload;
    this.#parser = new ResponseParser({
      head: (status, _head, bodyBytes) => this.#onHead(status, bodyBytes),
      body: (bytes, start, end) => this.#onBody(bytes, start, end),
      end: () => this.#answer?.resolve({ status: this.#status, text: this.#text }),
    });
    const onread: OnReadOpts = {
      buffer: Buffer.allocUnsafeSlow(readBufferBytes),
      callback: (length, bytes) => {
        try {
          this.#parser.push(bytes as Buffer, length);
        } catch (error) {
          this.#answer?.reject(error);
        }
        return true;
      },
    };
    const withRead: ConnectionOptions & { readonly onread: OnReadOpts } = { ...options, onread };
    this.#socket = connect(withRead);
    this.#socket.setNoDelay(true);
    this.#socket.on('error', (error) => this.#answer?.reject(error));
    this.#socket.on('close', () => this.#answer?.reject(new Error('the server closed the connection')));
  }

  /** Connects to 127.0.0.1 with TLS 1.3 and the client certificate; rejects when the handshake fails. */
  static async open(target: ConnectionTarget): Promise<ClientConnection> {
    const { ca, clientCert: cert, clientKey: key } = target.credentials;
    const { port } = target;
    const options = { host: '127.0.0.1', port, servername: 'localhost', ca, cert, key, minVersion: 'TLSv1.3' } as const;
    const connection = new ClientConnection(options, target.payload, target.readBufferBytes ?? readBufferBytesDefault);
    await new Promise<void>((resolve, reject) => {
      connection.#socket.once('secureConnect', resolve);
      connection.#socket.once('error', reject);
    });
    return connection;
  }

  get cipher(): string {
    return this.#socket.getCipher().name;
  }

  /** Sends a request whose body is the payload's bytes at [position, position + bytes). `head` ends with CRLF. */
  async upload(head: string, position: number, bytes: number): Promise<ClientAnswer> {
    const answer = this.#expect(0, -1);
    this.#socket.write(`${head}content-length: ${bytes}\r\n\r\n`, 'latin1');
    const written: Promise<void>[] = [];
    for (const piece of this.#payload.pieces(position, bytes)) {
      written.push(new Promise((resolve) => this.#socket.write(piece, () => resolve())));
      // An answer before the end of the body is a refusal; waiting for the socket would then wait for ever.
      if (written.length >= piecesInFlightMax) await Promise.race([written.shift(), answer]);
    }
    return answer;
  }

  /** Sends a request without a body; the answer must be those bytes of the payload, or the call rejects. */
  download(head: string, position: number, bytes: number): Promise<ClientAnswer> {
    const answer = this.#expect(position, bytes);
    this.#socket.write(`${head}\r\n`, 'latin1');
    return answer;
  }

  /** Sends a request without a body and gives the answer as text. */
  ask(head: string): Promise<ClientAnswer> {
    return this.download(head, 0, -1);
  }

  close(): void {
    this.#socket.destroy();
  }

  #expect(position: number, bytes: number): Promise<ClientAnswer> {
    this.#expected = { position, bytes };
    this.#answer = Promise.withResolvers<ClientAnswer>();
    return this.#answer.promise;
  }

  #onHead(status: number, bodyBytes: number): void {
    this.#status = status;
    this.#text = '';
    this.#received = 0;
    const wanted = this.#expected.bytes;
    if (status < 300 && wanted >= 0 && bodyBytes !== wanted) {
      throw new Error(`a download answered ${status} with ${bodyBytes} bytes instead of ${wanted}`);
    }
  }

  #onBody(bytes: Buffer, start: number, end: number): void {
    if (this.#expected.bytes < 0 || this.#status >= 300) {
      if (this.#text.length < answerTextBytesMax) this.#text += bytes.toString('latin1', start, end);
      return;
    }
    if (!this.#payload.matches(bytes, start, end, this.#expected.position + this.#received)) {
      throw new Error(`a download differs from what was sent after byte ${this.#received}`);
    }
    this.#received += end - start;
  }
}

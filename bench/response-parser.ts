/** What a parser tells its owner, in this order for each answer: head, any number of body pieces, end. */
export interface ResponseSink {
  /** `head` is the status line and the headers as Latin-1 text, without the empty line that ends them. */
  head(status: number, head: string, bodyBytes: number): void;
  /** A piece of the body: bytes[start, end) of a buffer that is reused as soon as this returns. */
  body(bytes: Buffer, start: number, end: number): void;
  end(): void;
}

const headBytesMax = 64 * 1024;
/** A head is looked for in steps of this size, so that a body in the same piece is not turned into text as well. */
const headStepBytes = 2048;
const endOfHead = '\r\n\r\n';

/**
 * Reads HTTP/1.1 answers with a `content-length` from pieces cut anywhere. It does no more than a load generator needs,
 * so that the generator stays cheap beside the server it measures: chunked answers are an error. Interim 1xx answers
 * are skipped. Throws on anything that is not such an answer.
 */
export class ResponseParser {
  readonly #sink: ResponseSink;
  #pendingHead = '';
  #bodyBytesLeft = -1;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
  }

  /** Feeds bytes[0, length). */
  push(bytes: Buffer, length: number): void {
    let at = 0;
    while (at < length) {
      at = this.#bodyBytesLeft < 0 ? this.#readHead(bytes, at, length) : this.#readBody(bytes, at, length);
    }
  }

  /** True between answers: a connection that closes at any other moment cut an answer short. */
  get idle(): boolean {
    return this.#bodyBytesLeft < 0 && this.#pendingHead === '';
  }

  #readHead(bytes: Buffer, start: number, length: number): number {
    const pendingLength = this.#pendingHead.length;
    // Latin-1 is one character a byte, so positions in the text are positions in the bytes.
    const stepEnd = Math.min(length, start + headStepBytes);
    const text = this.#pendingHead + bytes.toString('latin1', start, stepEnd);
    const end = text.indexOf(endOfHead, Math.max(0, pendingLength - endOfHead.length + 1));
    if (end < 0) {
      if (text.length >= headBytesMax) throw new Error(`an answer's headers exceed ${headBytesMax} bytes`);
      this.#pendingHead = text;
      return stepEnd;
    }
    this.#pendingHead = '';
    this.#begin(text.slice(0, end));
    return start + end + endOfHead.length - pendingLength;
  }

  #begin(head: string): void {
    const status = Number(head.slice(9, 12));
    if (!head.startsWith('HTTP/1.1 ') || !(status >= 100 && status <= 599)) {
      throw new Error(`not an HTTP/1.1 answer: ${JSON.stringify(head.slice(0, 80))}`);
    }
    if (status < 200) return;
    const bodyBytes = bodyLength(status, head);
    this.#sink.head(status, head, bodyBytes);
    if (bodyBytes === 0) this.#sink.end();
    else this.#bodyBytesLeft = bodyBytes;
  }

  #readBody(bytes: Buffer, start: number, length: number): number {
    const end = Math.min(length, start + this.#bodyBytesLeft);
    this.#bodyBytesLeft -= end - start;
    this.#sink.body(bytes, start, end);
    if (this.#bodyBytesLeft === 0) {
      this.#bodyBytesLeft = -1;
      this.#sink.end();
    }
    return end;
  }
}

const lengthName = '\r\ncontent-length: ';

function bodyLength(status: number, head: string): number {
  // The spelling our servers use is found without a regular expression, which would cost more than all the rest here.
  const at = head.indexOf(lengthName);
  if (at >= 0) {
    const bytes = Number.parseInt(head.slice(at + lengthName.length, at + lengthName.length + 15), 10);
    if (bytes >= 0) return bytes;
  }
  const match = /\r\ncontent-length: *(\d{1,15})(?=\r\n|$)/i.exec(head);
  if (match !== null) return Number(match[1]);
  if (status === 204 || status === 304) return 0;
  throw new Error(`an answer has no content-length: ${JSON.stringify(head.slice(0, 200))}`);
}

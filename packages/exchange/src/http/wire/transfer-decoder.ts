/** Characters of a chunk's size and its extensions, and bytes of all trailers together. */
const sizeLineBytesMax = 1024;
const trailerBytesMax = 8192;
/** Hexadecimal digits of a chunk's size: 2^48 bytes are more than any body may have. */
const sizeDigitsMax = 12;

const sizeLine = /^([0-9A-Fa-f]+)[ \t]*(;[\t\x20-\x7e\x80-\xff]*)?$/;
const trailerLine = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*$/;

type State = 'size' | 'bytes' | 'after-bytes' | 'trailers' | 'ended';

/**
 * Takes the chunked transfer coding off a body (RFC 9112, section 7.1), however its pieces are cut. Extensions and
 * trailers are read and dropped.
 */
export class TransferDecoder {
  #state: State = 'size';
  #line = '';
  #leftBytes = 0;
  #trailerBytes = 0;

  get ended(): boolean {
    return this.#state === 'ended';
  }

  /**
   * Reads from `bytes` and hands each run of the body to `take`. Answers how many bytes belonged to the body, its
   * framing included; -1 when it is not the coding.
   */
  push(bytes: Buffer, take: (piece: Buffer) => void): number {
    let at = 0;
    while (at < bytes.length && this.#state !== 'ended') {
      if (this.#state === 'bytes') {
        const run = bytes.subarray(at, at + Math.min(this.#leftBytes, bytes.length - at));
        take(run);
        at += run.length;
        this.#leftBytes -= run.length;
        if (this.#leftBytes === 0) this.#state = 'after-bytes';
        continue;
      }
      const feed = bytes.indexOf(0x0a, at);
      const end = feed < 0 ? bytes.length : feed + 1;
      this.#line += bytes.toString('latin1', at, end);
      at = end;
      if (this.#line.length > sizeLineBytesMax) return -1;
      if (feed < 0) break;
      if (!this.#line.endsWith('\r\n')) return -1;
      const line = this.#line.slice(0, -2);
      this.#line = '';
      if (!this.#readLine(line)) return -1;
    }
    return at;
  }

  #readLine(line: string): boolean {
    switch (this.#state) {
      case 'size': {
        const size = sizeLine.exec(line)?.[1];
        if (size === undefined || size.length > sizeDigitsMax) return false;
        this.#leftBytes = Number.parseInt(size, 16);
        this.#state = this.#leftBytes === 0 ? 'trailers' : 'bytes';
        return true;
      }
      case 'after-bytes':
        this.#state = 'size';
        return line === '';
      case 'trailers':
        if (line === '') {
          this.#state = 'ended';
          return true;
        }
        this.#trailerBytes += line.length;
        return this.#trailerBytes <= trailerBytesMax && trailerLine.test(line);
      case 'bytes':
      case 'ended':
        throw new Error(`a line was read in the state ${this.#state}`);
    }
  }
}

/** A request's body as the hall sees it: first a bounded head, then the rest with back-pressure. */
export interface IncomingBody {
  /** As the caller declared it, in bytes; undefined when it did not. */
  readonly declaredBytes: number | undefined;
  /** Reads until the end or until more than `bytesMax` have come. The bytes are the whole of their own buffer. */
  head(bytesMax: number): Promise<{ readonly bytes: Uint8Array<ArrayBuffer>; readonly ended: boolean }>;
  /** Hands on what follows the head, piece by piece; waits whenever the taker returns a promise. */
  rest(take: (bytes: Uint8Array) => Promise<void> | undefined): Promise<void>;
}

/** The caller went away or its body broke off: nobody is left to answer. */
export class BodyAborted extends Error {
  constructor() {
    super('the request ended before its body did');
    this.name = 'BodyAborted';
  }
}

/** Bytes from `start` up to but not including `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** What is to be sent: bytes whose number is known and any range of which can be read, more than once. */
export interface Payload {
  readonly sizeBytes: number;
  /** When it was last changed, in milliseconds since 1970, where that can be known. */
  readonly modifiedMs?: number | undefined;
  /**
   * The bytes of a range, in blocks of any size. Throws `payload-changed` when there are fewer. When a block is asked for,
   * none but the one before it is still in use: two buffers, taken in turn, are enough for a range of any length.
   */
  read(range: ByteRange, signal: AbortSignal | undefined): AsyncIterable<Uint8Array>;
  /** Gives back what it holds. The client calls it once, when the send is over. */
  close(): Promise<void>;
}

/** What makes a payload, once for each send. */
export interface PayloadSource {
  open(signal: AbortSignal | undefined): Promise<Payload>;
}

/** A payload as callers give it: bytes in memory, or one of `fromFile`, `fromStream` and `fromRanges`. */
export type PayloadInput = Uint8Array | PayloadSource;

/** The source of any input. */
export function sourceOf(input: PayloadInput): PayloadSource {
  return input instanceof Uint8Array ? fromBytes(input) : input;
}

function fromBytes(bytes: Uint8Array): PayloadSource {
  const payload: Payload = {
    sizeBytes: bytes.length,
    async *read({ start, end }) {
      yield bytes.subarray(start, end);
    },
    close: () => Promise.resolve(),
  };
  return { open: () => Promise.resolve(payload) };
}

/** Bytes that lie elsewhere, such as in an object store: `read` gives any range, as often as it is asked. */
export function fromRanges(payload: Omit<Payload, 'close'> & Partial<Pick<Payload, 'close'>>): PayloadSource {
  const { sizeBytes, modifiedMs } = payload;
  return {
    open: () =>
      Promise.resolve({
        sizeBytes,
        modifiedMs,
        read: (range, signal) => payload.read(range, signal),
        close: () => payload.close?.() ?? Promise.resolve(),
      }),
  };
}

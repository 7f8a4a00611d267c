/**
 * Named runs of bytes, each there whole or not at all: where a backup lies, and bodies as a copy of them sees them, for a
 * body's key is its name. Names are paths of letters, digits, dots, dashes and underscores. Rejects with `BodyFault`;
 * every implementation runs `blobs.contract.ts`.
 */
export interface Blobs {
  /** The size in bytes; undefined when there is none of this name. */
  size(name: string): Promise<number | undefined>;
  /** The bytes as they lie, unchecked. A piece is good until the next is asked for. Throws 'missing' for an unknown name. */
  read(name: string): AsyncIterable<Uint8Array>;
  /** Stores the bytes in place of what was there; durable, with its name, when it resolves, and not there before. */
  write(name: string, pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void>;
  /** The names that begin with `start`, which is '' or ends with a slash, in the order of their bytes. */
  list(start: string): AsyncIterable<string>;
  /** Takes blobs away, durably; what is not there is none the less. */
  remove(names: readonly string[]): Promise<void>;
  /**
   * Takes away what writers that were killed left of blobs, last written to before this moment, milliseconds since 1970.
   * Where it is missing, whoever keeps the store has a rule for that.
   */
  removeUnfinished?(beforeMs: number): Promise<void>;
  close(): void;
}

const nameForm = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;
const nameLengthMax = 512;

/** Whether a name can be one of a blob: no name leads out of its place. */
export function isBlobName(name: string): boolean {
  return name.length <= nameLengthMax && nameForm.test(name);
}

import type { Random } from '../seeded-random.ts';

type Change =
  | { readonly kind: 'write'; readonly offset: number; readonly bytes: Uint8Array; doomed: boolean }
  | { readonly kind: 'truncate'; readonly length: number; doomed: boolean };

/** Which of the unflushed changes reached the platter. */
export type Keep =
  | { readonly kind: 'none' }
  | { readonly kind: 'all' }
  /** Each sector of each write reached it with this chance, by itself: writes may be missing, torn, out of order. */
  | { readonly kind: 'some'; readonly random: Random; readonly sectorBytes: number; readonly chance: number };

/** Bytes that grow; what lies between the old end and a later write reads as zero. */
class Extent {
  #bytes: Buffer;
  #size: number;
  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes);
    this.#size = bytes.length;
  }
  write(offset: number, bytes: Uint8Array): void {
    this.#resize(Math.max(this.#size, offset + bytes.length));
    this.#bytes.set(bytes, offset);
  }
  truncate(length: number): void {
    if (length < this.#size) this.#bytes.fill(0, length, this.#size);
    this.#resize(length);
  }
  #resize(size: number): void {
    if (size > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(size, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = larger;
    }
    this.#size = size;
  }
  get view(): Buffer {
    return this.#bytes.subarray(0, this.#size);
  }
}

/** One file on the platter: what is certain, and what was written since without having been flushed. */
export class FileSurface {
  readonly #flushed: Extent;
  #pending: Change[] = [];

  constructor(bytes: Uint8Array = new Uint8Array()) {
    this.#flushed = new Extent(bytes);
  }

  write(offset: number, bytes: Uint8Array): void {
    this.#pending.push({ kind: 'write', offset, bytes, doomed: false });
  }

  truncate(length: number): void {
    this.#pending.push({ kind: 'truncate', length, doomed: false });
  }

  /** How many changes wait now: a flush that begins now covers these and no later one. */
  get waiting(): number {
    return this.#pending.length;
  }

  /** A flush of the first `covered` waiting changes succeeded: they no longer wait. */
  flushed(covered: number): void {
    for (const change of this.#pending.splice(0, covered)) if (!change.doomed) apply(this.#flushed, change);
  }

  /**
   * A flush failed: the kernel marks those pages clean, so a later flush that succeeds does not bring them back. They
   * may or may not be on the platter; a later successful flush settles that they are not.
   */
  flushFailed(covered: number): void {
    for (const change of this.#pending.slice(0, covered)) change.doomed = true;
  }

  /** The bytes found after a cut. */
  afterCut(keep: Keep): Uint8Array {
    if (keep.kind === 'none' || this.#pending.length === 0) return this.#flushed.view;
    const image = new Extent(this.#flushed.view);
    for (const change of this.#pending) {
      if (keep.kind === 'all') apply(image, change);
      else if (change.kind === 'truncate') {
        if (keep.random() < keep.chance) apply(image, change);
      } else {
        for (const sector of sectorsOf(change.offset, change.bytes, keep.sectorBytes)) {
          if (keep.random() < keep.chance) image.write(sector.offset, sector.bytes);
        }
      }
    }
    return image.view;
  }
}

function apply(extent: Extent, change: Change): void {
  if (change.kind === 'write') extent.write(change.offset, change.bytes);
  else extent.truncate(change.length);
}

/** A disk tears writes at multiples of its sector, not at those of the write. */
function* sectorsOf(
  offset: number,
  bytes: Uint8Array,
  sectorBytes: number,
): Generator<{ readonly offset: number; readonly bytes: Uint8Array }> {
  let from = offset;
  const end = offset + bytes.length;
  while (from < end) {
    const to = Math.min(end, (Math.floor(from / sectorBytes) + 1) * sectorBytes);
    yield { offset: from, bytes: bytes.subarray(from - offset, to - offset) };
    from = to;
  }
}

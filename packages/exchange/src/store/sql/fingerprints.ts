/** Slots of the first segment, and the most a later one may have. */
const slotsMin = 4_096;
const slotsMax = 262_144;
/** A segment is full at this share of its slots: beyond it probes get long. */
const fillMax = 0.6;

/** Sixty-four bits that stand for a text, as two unsigned halves; never both 0. */
export interface Fingerprint {
  readonly high: number;
  readonly low: number;
}

const hexLength = 8;

/** 16 digits, the upper half first. */
export function hexOf({ high, low }: Fingerprint): string {
  return high.toString(16).padStart(hexLength, '0') + low.toString(16).padStart(hexLength, '0');
}

export function readHex(hex: string): Fingerprint {
  return { high: Number.parseInt(hex.slice(0, hexLength), 16), low: Number.parseInt(hex.slice(hexLength), 16) };
}

interface Segment {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
  readonly notes: Uint32Array;
  readonly capacity: number;
  used: number;
}

/**
 * A set that only grows, 12 bytes a slot; each member carries a note of 32 bits. It grows by whole segments, each at most 3 MiB, so that no addition ever waits
 * for the set to be rebuilt.
 */
export class FingerprintSet {
  readonly #segments: Segment[] = [];

  /** The note that was added with the fingerprint; undefined when it was not added. */
  find({ high, low }: Fingerprint): number | undefined {
    for (const segment of this.#segments) {
      const slot = slotOf(segment, high, low);
      if (segment.high[slot] === high && segment.low[slot] === low) return segment.notes[slot];
    }
    return undefined;
  }

  add({ high, low }: Fingerprint, note: number): void {
    const segment = this.#roomy();
    const slot = slotOf(segment, high, low);
    if (segment.high[slot] === high && segment.low[slot] === low) return;
    segment.high[slot] = high;
    segment.low[slot] = low;
    segment.notes[slot] = note;
    segment.used += 1;
  }

  #roomy(): Segment {
    const last = this.#segments.at(-1);
    if (last !== undefined && last.used < last.capacity * fillMax) return last;
    const capacity = last === undefined ? slotsMin : Math.min(slotsMax, last.capacity * 4);
    const high = new Uint32Array(capacity);
    const segment = { high, low: new Uint32Array(capacity), notes: new Uint32Array(capacity), capacity, used: 0 };
    this.#segments.push(segment);
    return segment;
  }
}

/** The fingerprint's slot, or the free one where it would go. Linear probing; a segment is never full. */
function slotOf({ high, low, capacity }: Segment, wantedHigh: number, wantedLow: number): number {
  const mask = capacity - 1;
  let slot = wantedLow & mask;
  while (!(high[slot] === 0 && low[slot] === 0) && !(high[slot] === wantedHigh && low[slot] === wantedLow)) {
    slot = (slot + 1) & mask;
  }
  return slot;
}

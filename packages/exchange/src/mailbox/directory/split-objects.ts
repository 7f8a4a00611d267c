/** One object's text with its number in the file, counted from 1; `text` is undefined when it was too long. */
export interface SplitObject {
  readonly number: number;
  readonly text: string | undefined;
}

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const colon = 0x3a;
/** A key as it is told apart: without its first quote, with its last. */
const entryKey = 'entry"';
/** Depths, counted over braces and brackets: of a member of the outermost object, and of an element of its `entry`. */
const memberDepth = 1;
const elementDepth = 2;

/**
 * Cuts a stream of JSON into its objects: the outermost ones, one a line or not, or the elements of `entry` of a Bundle
 * however large. Holds no more than one block and one object of at most `objectBytesMax` bytes; a longer one is passed
 * over. Judges no JSON but its quotes, braces and brackets: parsing each text is the caller's.
 */
export async function* splitObjects(
  blocks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  objectBytesMax: number,
): AsyncGenerator<SplitObject> {
  const splitter = new Splitter(objectBytesMax);
  for await (const block of blocks) {
    const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
    yield* splitter.take(bytes);
  }
  if (splitter.isOpen) yield splitter.cutOff();
}

class Splitter {
  readonly #bytesMax: number;
  #depth = 0;
  #number = 0;
  #inString = false;
  #escaped = false;
  /** The string now read, or read last, stands at the depth of a member; its beginning, without the first quote. */
  #isMember = false;
  #lastString = '';
  #key = '';
  #inEntries = false;
  /** The rest of a Bundle behind or before its entries is nobody's. */
  #isBundle = false;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #start = -1;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get isOpen(): boolean {
    return this.#depth > 0 || this.#inString;
  }

  /** What is left when the stream ends inside an object. */
  cutOff(): SplitObject {
    return { number: this.#number + 1, text: '' };
  }

  *take(block: Buffer): Generator<SplitObject> {
    if (this.#start >= 0) this.#start = 0;
    let at = 0;
    while (at < block.length) {
      if (this.#inString) {
        at = this.#passString(block, at);
        continue;
      }
      const byte = block[at];
      if (byte === quote) {
        this.#inString = true;
        this.#isMember = this.#depth === memberDepth;
        if (this.#isMember) this.#lastString = '';
      } else if (byte === colon && this.#depth === memberDepth) this.#key = this.#lastString;
      else if (byte === openBrace || byte === openBracket) this.#open(byte, at);
      else if (byte === closeBrace || byte === closeBracket) {
        const done = this.#close(block, at);
        if (done !== undefined) yield done;
      }
      at += 1;
    }
    this.#hold(block, block.length);
  }

  /** To behind the string's end, or to the end of the block. */
  #passString(block: Buffer, from: number): number {
    const to = this.#findStringEnd(block, from);
    if (this.#isMember && this.#lastString.length <= entryKey.length) {
      // One character more than the key, so that a longer string is told from it.
      this.#lastString += block.toString('latin1', from, Math.min(to, from + entryKey.length + 1));
    }
    return to;
  }

  #findStringEnd(block: Buffer, from: number): number {
    let at = from;
    while (at < block.length) {
      if (this.#escaped) {
        this.#escaped = false;
        at += 1;
        continue;
      }
      const end = block.indexOf(quote, at);
      const slash = block.subarray(at, end === -1 ? block.length : end).indexOf(backslash);
      if (slash !== -1) {
        this.#escaped = true;
        at += slash + 1;
        continue;
      }
      if (end === -1) return block.length;
      this.#inString = false;
      return end + 1;
    }
    return at;
  }

  #open(byte: number, at: number): void {
    const isElement = this.#inEntries && this.#depth === elementDepth && byte === openBrace;
    const isOutermost = this.#depth === 0 && byte === openBrace;
    if (isElement || isOutermost) this.#begin(at);
    if (isOutermost) {
      this.#isBundle = false;
      this.#key = '';
    }
    if (this.#depth === memberDepth && byte === openBracket && this.#key === entryKey) {
      this.#inEntries = true;
      this.#isBundle = true;
      this.#drop();
    }
    this.#depth += 1;
  }

  #close(block: Buffer, at: number): SplitObject | undefined {
    this.#depth = Math.max(0, this.#depth - 1);
    if (this.#inEntries && this.#depth === memberDepth) this.#inEntries = false;
    const isElement = this.#inEntries && this.#depth === elementDepth;
    const isOutermost = this.#depth === 0 && !this.#isBundle;
    if (this.#start < 0 || !(isElement || isOutermost)) return undefined;
    this.#hold(block, at + 1);
    this.#number += 1;
    const isTooLong = this.#heldBytes > this.#bytesMax;
    const text = isTooLong ? undefined : Buffer.concat(this.#held).toString('utf8');
    this.#drop();
    return { number: this.#number, text };
  }

  #begin(at: number): void {
    this.#drop();
    this.#start = at;
  }

  #hold(block: Buffer, end: number): void {
    if (this.#start < 0) return;
    this.#heldBytes += end - this.#start;
    if (this.#heldBytes <= this.#bytesMax) this.#held.push(block.subarray(this.#start, end));
    else this.#held = [];
    this.#start = 0;
  }

  #drop(): void {
    this.#held = [];
    this.#heldBytes = 0;
    this.#start = -1;
  }
}

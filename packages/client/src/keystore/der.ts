import { KeyStoreFault } from './credentials.ts';

/** One element of a DER encoding. */
export interface Der {
  readonly tag: number;
  /** The whole element, header included. */
  readonly bytes: Buffer;
  readonly content: Buffer;
}

const depthBytesMax = 16 * 1024 * 1024;

/** Tags of X.690 that key stores use. */
export const derTags = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  nothing: 0x05,
  oid: 0x06,
  sequence: 0x30,
  set: 0x31,
  /** Context-specific, constructed, numbers 0 and 1. */
  context0: 0xa0,
  context1: 0xa1,
  primitive0: 0x80,
} as const;

/** Reads the element at the beginning of `bytes`; also the indefinite lengths that some stores are written with. */
export function readDer(bytes: Buffer): Der {
  if (bytes.length > depthBytesMax) throw new KeyStoreFault('the key store is larger than any key store is');
  return readAt(bytes, 0).element;
}

/** The elements inside a constructed one. */
export function childrenOf({ content }: Der): readonly Der[] {
  const children: Der[] = [];
  for (let at = 0; at < content.length; ) {
    const { element, next } = readAt(content, at);
    if (element.tag === 0 && element.content.length === 0) break;
    children.push(element);
    at = next;
  }
  return children;
}

/** The nth element inside, which must have this tag. */
export function childOf(parent: Der, index: number, tag?: number): Der {
  const child = childrenOf(parent)[index];
  if (child === undefined || (tag !== undefined && child.tag !== tag)) throw damaged();
  return child;
}

/** A string of octets, also one that is put together from several. */
export function octetsOf(element: Der): Buffer {
  if (element.tag === derTags.octetString || element.tag === derTags.primitive0) return element.content;
  return Buffer.concat(childrenOf(element).map(octetsOf));
}

/** `1.2.840.…` */
export function oidOf({ tag, content }: Der): string {
  if (tag !== derTags.oid || content.length === 0) throw damaged();
  const numbers: number[] = [];
  let value = 0;
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f);
    if (byte & 0x80) continue;
    numbers.push(value);
    value = 0;
  }
  const [first = 0, ...rest] = numbers;
  const root = Math.min(2, Math.floor(first / 40));
  return [root, first - root * 40, ...rest].join('.');
}

/** A small non-negative number. */
export function numberOf({ tag, content }: Der): number {
  if (tag !== derTags.integer || content.length === 0 || content.length > 4) throw damaged();
  return content.readIntBE(0, content.length);
}

function readAt(bytes: Buffer, at: number): { element: Der; next: number } {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined || (tag & 0x1f) === 0x1f) throw damaged();
  if (first === 0x80) return readIndefinite(bytes, at, tag);
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (lengthBytes > 4 || at + 2 + lengthBytes > bytes.length) throw damaged();
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
  const from = at + 2 + lengthBytes;
  if (from + length > bytes.length) throw damaged();
  const next = from + length;
  return { element: { tag, bytes: bytes.subarray(at, next), content: bytes.subarray(from, next) }, next };
}

/** Its end is an element of two zeros among its children. */
function readIndefinite(bytes: Buffer, at: number, tag: number): { element: Der; next: number } {
  const from = at + 2;
  let end = from;
  for (;;) {
    if (bytes[end] === 0 && bytes[end + 1] === 0) break;
    end = readAt(bytes, end).next;
  }
  return { element: { tag, bytes: bytes.subarray(at, end + 2), content: bytes.subarray(from, end) }, next: end + 2 };
}

export function damaged(): KeyStoreFault {
  return new KeyStoreFault('the key store is damaged, or of a kind this client does not know');
}

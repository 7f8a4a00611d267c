// What tests of body stores need: bytes that tell one body from another, and whole bodies in and out.
import { createHash } from 'node:crypto';
import {
  type Bodies,
  BodyFault,
  type BodyKey,
  type BodyRef,
  type BodyShape,
  type DurableBody,
  digestBlockBytes,
} from './bodies.ts';

/** Bytes that differ at every offset modulo a prime, and between seeds. */
export function patterned(size: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  let state = (seed * 2_654_435_761 + 97) >>> 0;
  for (let at = 0; at < size; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** Stores bytes in slices of the given sizes, repeated as often as needed. */
export async function put(
  bodies: Bodies,
  bytes: Uint8Array,
  slices: readonly number[] = [65_536],
  key?: BodyKey,
): Promise<DurableBody> {
  const sink = await bodies.create(key);
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const end = Math.min(bytes.length, at + (slices[turn % slices.length] ?? 1));
    const pressure = sink.write(bytes.subarray(at, end));
    if (pressure !== undefined) await pressure;
    at = end;
  }
  return sink.finish();
}

/** Reads a whole body. */
export async function get(bodies: Bodies, ref: BodyRef, shape: BodyShape, key?: BodyKey): Promise<Buffer> {
  const blocks: Buffer[] = [];
  for await (const block of bodies.read(ref, shape, key)) {
    blocks.push(Buffer.from(block.bytes));
    block.release();
  }
  return Buffer.concat(blocks);
}

/** How many blocks were yielded before the store said what is wrong, and what that was; undefined when nothing was. */
export async function readUntilFault(
  bodies: Bodies,
  body: DurableBody,
  key?: BodyKey,
): Promise<{ blocks: number; fault: BodyFault | undefined }> {
  let bytes = 0;
  const blocks = (): number => Math.ceil(bytes / digestBlockBytes);
  try {
    for await (const block of bodies.read(body.ref, body, key)) {
      bytes += block.bytes.length;
      block.release();
    }
    return { blocks: blocks(), fault: undefined };
  } catch (fault) {
    if (!(fault instanceof BodyFault)) throw fault;
    return { blocks: blocks(), fault };
  }
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The shape that node:crypto gives these bytes. */
export function shapeFor(bytes: Uint8Array): BodyShape {
  const blocks: string[] = [];
  for (let at = 0; at < bytes.length; at += digestBlockBytes)
    blocks.push(digestOf(bytes.subarray(at, at + digestBlockBytes)));
  return { sizeBytes: bytes.length, sha256: digestOf(bytes), blockDigests: blocks.length > 1 ? blocks.join('') : '' };
}

/** What of a durable body is its shape. */
export function shapeOf({ sizeBytes, sha256, blockDigests }: DurableBody): BodyShape {
  return { sizeBytes, sha256, blockDigests };
}

/** Compares without printing megabytes when it fails. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

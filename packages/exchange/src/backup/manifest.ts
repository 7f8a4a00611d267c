import type { LedgerEngine, NamedBody } from '../store/ledger-snapshot.ts';

/** What the first line of a manifest says. */
export interface ManifestHead {
  readonly format: 'openmesh-backup';
  readonly version: 1;
  readonly madeAtMs: number;
  /** The version of the product that made it. */
  readonly product: string;
  readonly engine: LedgerEngine;
}

export type ManifestEntry =
  /** A piece of the image of the ledger; they follow each other in order. */
  | { readonly kind: 'segment'; readonly name: string; readonly sizeBytes: number }
  | { readonly kind: 'body'; readonly ref: NamedBody['ref']; readonly sizeBytes: number; readonly sha256: string }
  /** A body that could not be copied: the ledger names it and the store did not have it as it should be. */
  | { readonly kind: 'absent'; readonly ref: NamedBody['ref']; readonly why: 'missing' | 'damaged' };

/** The last line: without it a manifest is cut short. */
export interface ManifestEnd {
  readonly kind: 'end';
  readonly segments: number;
  readonly bodies: number;
}

const lineBytesMax = 64 * 1024;

export class ManifestFault extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ManifestFault';
  }
}

export function lineOf(part: ManifestHead | ManifestEntry | ManifestEnd): Buffer {
  return Buffer.from(`${JSON.stringify(part)}\n`);
}

/** The head and the entries of a manifest, read as they come. Throws `ManifestFault` where it is cut short or of another version. */
export async function openManifest(
  pieces: AsyncIterable<Uint8Array>,
): Promise<{ readonly head: ManifestHead; readonly entries: AsyncIterable<ManifestEntry> }> {
  const lines = linesOf(pieces);
  const first = await lines.next();
  if (first.done === true) throw new ManifestFault('the manifest is empty');
  const head = first.value as ManifestHead;
  if (head.format !== 'openmesh-backup') throw new ManifestFault('this is no manifest of a backup');
  if (head.version !== 1)
    throw new ManifestFault(`the backup has format ${String(head.version)}; this version knows 1`);
  return { head, entries: entriesOf(lines) };
}

async function* entriesOf(lines: AsyncIterable<unknown>): AsyncGenerator<ManifestEntry, void, void> {
  const counted = { segment: 0, body: 0, absent: 0 };
  let end: ManifestEnd | undefined;
  for await (const line of lines) {
    const part = line as ManifestEntry | ManifestEnd;
    if (end !== undefined) throw new ManifestFault('the manifest goes on after its end');
    if (part.kind === 'end') {
      end = part;
      continue;
    }
    counted[part.kind] += 1;
    yield part;
  }
  if (end === undefined || end.segments !== counted.segment || end.bodies !== counted.body) {
    throw new ManifestFault('the manifest is cut short');
  }
}

async function* linesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<unknown, void, void> {
  let rest = Buffer.alloc(0);
  for await (const piece of pieces) {
    rest = Buffer.concat([rest, piece]);
    let from = 0;
    for (let at = rest.indexOf(10); at >= 0; at = rest.indexOf(10, from)) {
      yield JSON.parse(rest.toString('utf8', from, at));
      from = at + 1;
    }
    rest = rest.subarray(from);
    if (rest.length > lineBytesMax) throw new ManifestFault('a line of the manifest is too long');
  }
  if (rest.length > 0) throw new ManifestFault('the manifest is cut short');
}

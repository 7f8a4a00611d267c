import { readFileSync } from 'node:fs';

/** What happened to the watched folder, in the order of effects. Names are relative to the folder, '' is the folder itself. */
export type JournalRecord =
  | {
      readonly kind: 'open';
      readonly object: number;
      readonly name: string;
      readonly created: boolean;
      readonly emptied: boolean;
    }
  | { readonly kind: 'write'; readonly object: number; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly object: number; readonly length: number }
  | { readonly kind: 'flush-begin'; readonly token: bigint; readonly target: FlushTarget }
  | { readonly kind: 'flush-done'; readonly token: bigint }
  | { readonly kind: 'flush-failed'; readonly token: bigint }
  | { readonly kind: 'unlink'; readonly name: string }
  | { readonly kind: 'rename'; readonly name: string; readonly other: string }
  | { readonly kind: 'mkdir'; readonly name: string }
  | { readonly kind: 'rmdir'; readonly name: string }
  | { readonly kind: 'link'; readonly name: string; readonly other: string };

export type FlushTarget = { readonly file: number } | { readonly folder: string };

const magic = 0x314a4d4f;
const headerBytes = 40;

/**
 * Reads what the shim wrote; the layout is `struct record_header` in journal.c, little-endian. The last record may be
 * torn, for the process was killed: it is left out, and nothing after its effect can have been promised to anyone.
 * Throws when the bytes are no journal.
 */
export function* readJournal(path: string): Generator<JournalRecord> {
  const journal = readFileSync(path);
  let at = 0;
  while (at + headerBytes <= journal.length) {
    if (journal.readUInt32LE(at) !== magic) throw new Error(`no record at byte ${at} of the journal`);
    const nameEnd = at + headerBytes + journal.readUInt32LE(at + 24);
    const otherEnd = nameEnd + journal.readUInt32LE(at + 28);
    const end = otherEnd + Number(journal.readBigUInt64LE(at + 32));
    if (end > journal.length) return;
    yield recordOf({
      kind: journal.readUInt32LE(at + 4),
      object: Number(journal.readBigUInt64LE(at + 8)),
      number: journal.readBigUInt64LE(at + 16),
      name: journal.toString('utf8', at + headerBytes, nameEnd),
      other: journal.toString('utf8', nameEnd, otherEnd),
      bytes: journal.subarray(otherEnd, end),
    });
    at = end;
  }
}

interface RawRecord {
  readonly kind: number;
  readonly object: number;
  readonly number: bigint;
  readonly name: string;
  readonly other: string;
  readonly bytes: Uint8Array;
}

function recordOf({ kind, object, number, name, other, bytes }: RawRecord): JournalRecord {
  switch (kind) {
    case 1:
      return { kind: 'open', object, name, created: (number & 1n) !== 0n, emptied: (number & 2n) !== 0n };
    case 2:
      return { kind: 'write', object, offset: Number(number), bytes };
    case 3:
      return { kind: 'truncate', object, length: Number(number) };
    case 4:
      return { kind: 'flush-begin', token: number, target: object === 0 ? { folder: name } : { file: object } };
    case 5:
      return { kind: 'flush-done', token: number };
    case 6:
      return { kind: 'flush-failed', token: number };
    case 7:
      return { kind: 'unlink', name };
    case 8:
      return { kind: 'rename', name, other };
    case 9:
      return { kind: 'mkdir', name };
    case 10:
      return { kind: 'rmdir', name };
    case 11:
      return { kind: 'link', name, other };
    default:
      throw new Error(`unknown kind of record ${kind} in the journal`);
  }
}

import type { BodyRef } from '../bodies.ts';
import type { NamedBody } from '../ledger-snapshot.ts';
import type { NamedBodyRow } from './questions/copies.ts';

export function toNamedBody([ref, size, sha256, keepUntil, encrypted]: NamedBodyRow): NamedBody {
  return {
    ref: String(ref) as BodyRef,
    sizeBytes: Number(size),
    // What is kept of an encrypted body is of its plain bytes, and encrypted too.
    sha256: Number(encrypted) === 0 ? textOf(sha256) : '',
    keepUntilMs: Number(keepUntil),
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

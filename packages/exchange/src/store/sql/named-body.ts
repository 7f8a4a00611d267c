import type { BodyRef } from '../bodies.ts';
import type { NamedBody } from '../ledger-snapshot.ts';
import type { NamedBodyRow } from './questions/copies.ts';

export function toNamedBody(row: NamedBodyRow): NamedBody {
  const [ref, size, sha256, keepUntil, payloadId, chunkNumber, keyId, wrapped, seal] = row;
  const isSealed = typeof wrapped === 'string';
  return {
    ref: String(ref) as BodyRef,
    sizeBytes: Number(size),
    // What is kept of an encrypted body is of its plain bytes, and encrypted too.
    sha256: isSealed ? '' : textOf(sha256),
    keepUntilMs: Number(keepUntil),
    sealed: isSealed
      ? {
          payloadId: String(payloadId),
          chunkNumber: Number(chunkNumber),
          wrapped: { keyId: textOf(keyId), wrapped },
          seal: textOf(seal),
        }
      : null,
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

import { hash } from 'node:crypto';
import type { PayloadKey } from '../keys/payload-key.ts';
import { type Bodies, type BodyBlock, BodyFault } from '../store/bodies.ts';
import type { ChunkRecord } from '../store/ledger/message-records.ts';

/** A chunk's plain bytes: whole when small, else block by block, each checked before it is handed on. */
export type ChunkBytes =
  | { readonly kind: 'inline'; readonly bytes: Uint8Array }
  | { readonly kind: 'blocks'; readonly blocks: AsyncIterable<BodyBlock> };

/**
 * Opens a chunk as it lies in the ledger, once: a small one where its record holds it. `key` is its payload's, null when that has none. Throws `BodyFault` 'corrupt'
 * when the bytes at rest are not those that were accepted; reading the blocks throws whatever the body store does.
 */
export function openChunk(bodies: Pick<Bodies, 'read'>, chunk: ChunkRecord, key: PayloadKey | null): ChunkBytes {
  const { chunkNumber, sizeBytes, inline, ref, blockDigests } = chunk;
  if (ref !== null) {
    if (key === null) return { kind: 'blocks', blocks: bodies.read(ref, chunk) };
    const body = key.openBodyKey(chunkNumber, sizeBytes, blockDigests);
    const shape = { sizeBytes, sha256: body.sha256, blockDigests: body.tags };
    return { kind: 'blocks', blocks: bodies.read(ref, shape, body.key) };
  }
  if (inline !== null && key !== null) {
    key.openInline(chunkNumber, inline, blockDigests);
    return { kind: 'inline', bytes: inline };
  }
  if (inline === null || hash('sha256', inline, 'hex') !== chunk.sha256)
    throw new BodyFault('corrupt', 'the bytes in the ledger are not those that were accepted', { block: 0 });
  return { kind: 'inline', bytes: inline };
}

/** SHA-256 of a chunk's plain bytes, lower-case hex; of a record that is then used up. Throws `BodyFault` 'corrupt' when its record does not open. */
export function sha256Of(chunk: Omit<ChunkRecord, 'storedAtMs'>, key: PayloadKey | null): string {
  const { chunkNumber, sizeBytes, inline, blockDigests } = chunk;
  if (key === null) return chunk.sha256;
  if (inline === null) return key.openBodyKey(chunkNumber, sizeBytes, blockDigests).sha256;
  key.openInline(chunkNumber, inline, blockDigests);
  return hash('sha256', inline, 'hex');
}

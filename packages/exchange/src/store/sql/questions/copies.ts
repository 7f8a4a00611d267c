/** Bodies that rows name, for a copy of them: what `NamedBody` says, and of an encrypted body what opens it. */
export const namedBodies = `
select body_ref, size_bytes, sha256, keep_until_ms, payload_id, chunk_number, key_id, wrapped_key, block_digests from (
  select body_ref, size_bytes, sha256, keep_until_ms, payload_id, 1 as chunk_number, key_id, wrapped_key, block_digests
  from payload
  where body_ref is not null and deleted_at_ms is null
  union all
  select chunk.body_ref, chunk.size_bytes, chunk.sha256, payload.keep_until_ms, chunk.payload_id, chunk.chunk_number,
    payload.key_id, payload.wrapped_key, chunk.block_digests
  from chunk join payload on payload.payload_id = chunk.payload_id
  where chunk.body_ref is not null and payload.deleted_at_ms is null
) named
order by body_ref`;

/** A row of `namedBodies` as every driver can give it. */
export type NamedBodyRow = readonly [
  ref: unknown,
  size: unknown,
  sha256: unknown,
  keepUntil: unknown,
  payloadId: unknown,
  chunkNumber: unknown,
  keyId: unknown,
  wrapped: unknown,
  seal: unknown,
];

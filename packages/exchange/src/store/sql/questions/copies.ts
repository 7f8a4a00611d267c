/** Bodies that rows name, for a copy of them; the columns are those of `NamedBody` and whether the body is encrypted. */
export const namedBodies = `
select body_ref, size_bytes, sha256, keep_until_ms, encrypted from (
  select body_ref, size_bytes, sha256, keep_until_ms, case when wrapped_key is null then 0 else 1 end as encrypted
  from payload
  where body_ref is not null and deleted_at_ms is null
  union all
  select chunk.body_ref, chunk.size_bytes, chunk.sha256, payload.keep_until_ms,
    case when payload.wrapped_key is null then 0 else 1 end
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
  encrypted: unknown,
];

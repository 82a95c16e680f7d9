-- As add_reference, for many blobs: ids, sizes, and how many holders each gets.
WITH given AS MATERIALIZED (
  SELECT g.blob_id, g.size_bytes, g.holders FROM unnest($3::bigint[], $4::bigint[], $5::int[]) AS g (blob_id, size_bytes, holders)
   ORDER BY g.blob_id
), reference AS (
  INSERT INTO blob_refs (user_id, service, blob_id, size_bytes, holders) SELECT $1, $2, blob_id, size_bytes, holders FROM given
  ON CONFLICT (user_id, service, blob_id) DO UPDATE SET holders = blob_refs.holders + excluded.holders
  RETURNING blob_id, holders
)
INSERT INTO usage (user_id, service, bytes)
SELECT $1, $2, sum(g.size_bytes)::bigint FROM given g JOIN reference r ON r.blob_id = g.blob_id WHERE r.holders = g.holders
HAVING count(*) > 0
ON CONFLICT (user_id, service) DO UPDATE SET bytes = usage.bytes + excluded.bytes

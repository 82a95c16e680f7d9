-- Takes holders away from references of an account: ids, and how many each. See drop_reference.
WITH given AS MATERIALIZED (
  SELECT g.blob_id, g.holders FROM unnest($3::bigint[], $4::int[]) AS g (blob_id, holders)
), kept AS (
  UPDATE blob_refs r SET holders = r.holders - g.holders FROM given g
   WHERE r.user_id = $1 AND r.service = $2 AND r.blob_id = g.blob_id AND r.holders > g.holders
), dropped AS (
  DELETE FROM blob_refs r USING given g
   WHERE r.user_id = $1 AND r.service = $2 AND r.blob_id = g.blob_id AND r.holders = g.holders
  RETURNING r.blob_id, r.size_bytes
), counted AS (
  UPDATE usage SET bytes = usage.bytes - (SELECT coalesce(sum(d.size_bytes), 0) FROM dropped d)
   WHERE user_id = $1 AND service = $2
)
UPDATE blobs SET touched_at = now()
 WHERE blob_id = ANY (ARRAY(SELECT b.blob_id FROM blobs b WHERE b.blob_id = ANY (ARRAY(SELECT d.blob_id FROM dropped d))
                             ORDER BY b.blob_id FOR NO KEY UPDATE SKIP LOCKED))

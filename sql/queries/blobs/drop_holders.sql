-- Takes holders away from references of an account: ids, and how many each. See drop_reference. Nobody else changes these
-- references meanwhile, so their places are known.
WITH given AS MATERIALIZED (
  SELECT g.blob_id, g.holders, r.ctid AS place, r.holders AS before, r.size_bytes
    FROM unnest($3::bigint[], $4::int[]) AS g (blob_id, holders)
   CROSS JOIN LATERAL (SELECT x.ctid, x.holders, x.size_bytes FROM blob_refs x
                        WHERE x.user_id = $1 AND x.service = $2 AND x.blob_id = g.blob_id LIMIT 1) AS r
), kept AS (
  UPDATE blob_refs r SET holders = r.holders - (SELECT g.holders FROM given g WHERE g.blob_id = r.blob_id)
   WHERE r.ctid = ANY (ARRAY(SELECT g.place FROM given g WHERE g.before > g.holders))
), dropped AS (
  DELETE FROM blob_refs r WHERE r.ctid = ANY (ARRAY(SELECT g.place FROM given g WHERE g.before <= g.holders))
), counted AS (
  UPDATE usage SET bytes = usage.bytes - (SELECT coalesce(sum(g.size_bytes), 0) FROM given g WHERE g.before <= g.holders)
   WHERE user_id = $1 AND service = $2
)
UPDATE blobs SET touched_at = now()
 WHERE blob_id = ANY (ARRAY(SELECT b.blob_id FROM blobs b
                             WHERE b.blob_id = ANY (ARRAY(SELECT g.blob_id FROM given g WHERE g.before <= g.holders))
                             ORDER BY b.blob_id FOR NO KEY UPDATE SKIP LOCKED))

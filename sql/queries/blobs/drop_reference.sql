-- Drops the last holder of an account and service. The grace period starts now, because reads may be in
-- flight. If the blob is locked, either another transaction starts the same grace period, or it is the sweep,
-- which still sees this reference.
WITH reference AS (
  DELETE FROM blob_refs WHERE user_id = $1 AND service = $2 AND blob_id = $3 RETURNING size_bytes
), counted AS (
  UPDATE usage SET bytes = usage.bytes - reference.size_bytes FROM reference WHERE user_id = $1 AND service = $2
)
UPDATE blobs SET touched_at = now()
WHERE blob_id = (SELECT blob_id FROM blobs WHERE blob_id = $3 FOR NO KEY UPDATE SKIP LOCKED)

-- One statement, so that it is one round trip for a MiB. No row: the blob was swept, the writer had slept too long.
WITH writing AS (
  UPDATE blobs SET touched_at = now() WHERE blob_id = $1 AND sha256 IS NULL RETURNING blob_id
)
INSERT INTO blob_chunks (blob_id, seq, bytes) SELECT blob_id, $2, $3 FROM writing

-- One statement, for one round trip per MiB. No row: the blob was swept because the writer was idle too long.
WITH writing AS (
  UPDATE blobs SET touched_at = now() WHERE blob_id = $1 AND sha256 IS NULL AND size_bytes = 0 RETURNING blob_id
)
INSERT INTO blob_chunks (blob_id, seq, bytes) SELECT blob_id, $2, $3 FROM writing

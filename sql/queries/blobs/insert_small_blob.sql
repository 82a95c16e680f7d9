-- A complete blob of at most one chunk. Unique violation on blobs_sha256: see finish_blob. version: see lock_own_blob.
WITH blob AS (
  INSERT INTO blobs (sha256, size_bytes) VALUES ($1, length($2::bytea)) RETURNING blob_id, xmin::text::bigint AS version
), chunk AS (
  INSERT INTO blob_chunks (blob_id, seq, bytes) SELECT blob_id, 0, $2 FROM blob WHERE length($2) > 0
)
SELECT blob_id, version FROM blob

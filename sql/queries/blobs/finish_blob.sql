-- Unique violation on blobs_sha256: another writer has just finished the same bytes. version: see lock_own_blob.
UPDATE blobs SET sha256 = $2, size_bytes = $3, touched_at = now() WHERE blob_id = $1 AND sha256 IS NULL AND size_bytes = 0
RETURNING blob_id, xmin::text::bigint AS version

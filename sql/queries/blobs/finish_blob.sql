-- Unique violation on blobs_sha256: another writer has just finished the same bytes.
UPDATE blobs SET sha256 = $2, size_bytes = $3, touched_at = now() WHERE blob_id = $1 AND sha256 IS NULL

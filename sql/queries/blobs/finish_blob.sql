-- Unique violation on blobs_sha256: somebody finished the same bytes a moment ago.
UPDATE blobs SET sha256 = $2, size_bytes = $3, touched_at = now() WHERE blob_id = $1 AND sha256 IS NULL

-- The blob with this hash, if any. Restarts its grace period, so that the caller has time to reference it.
UPDATE blobs SET touched_at = now() WHERE sha256 = $1 RETURNING blob_id, size_bytes

-- The blob with this hash, if any. Restarts its grace period, so that the caller has time to reference it. is_own: account $2
-- references it already.
UPDATE blobs SET touched_at = now() WHERE sha256 = $1
RETURNING blob_id, EXISTS (SELECT FROM blob_refs r WHERE r.blob_id = blobs.blob_id AND r.user_id = $2) AS is_own

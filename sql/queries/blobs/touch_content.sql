-- The blob with this hash, if any. Restarts its grace period, so that the caller has time to reference it. is_own: account $2
-- references it already, with one of its services.
UPDATE blobs SET touched_at = now() WHERE sha256 = $1
RETURNING blob_id,
          EXISTS (SELECT FROM usage s
                   CROSS JOIN LATERAL (SELECT r.holders FROM blob_refs r
                                        WHERE r.user_id = $2 AND r.service = s.service AND r.blob_id = blobs.blob_id LIMIT 1) AS own
                   WHERE s.user_id = $2) AS is_own

-- The blob of these bytes, if there is one; its grace begins anew, so that the caller has time to refer to it.
UPDATE blobs SET touched_at = now() WHERE sha256 = $1 RETURNING blob_id, size_bytes

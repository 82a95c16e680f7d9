-- Step one of the sweep. Skips locked blobs. The caller must check the returned blobs for references again:
-- this statement's snapshot is older than its locks.
SELECT b.blob_id FROM blobs b
WHERE b.touched_at < now() - make_interval(secs => $1)
  AND NOT EXISTS (SELECT FROM blob_refs r WHERE r.blob_id = b.blob_id)
ORDER BY b.touched_at LIMIT $2 FOR UPDATE OF b SKIP LOCKED

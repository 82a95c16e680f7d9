-- Marks blobs as unfinished for ever (size_bytes -1), so that no lookup, reference or writer finds them while their chunks
-- are deleted step by step. The caller has locked them: this statement's snapshot is taken after the locks, so it sees
-- every reference committed before them. touched_at: if the deletion is interrupted, the next sweep continues it.
UPDATE blobs b SET sha256 = NULL, size_bytes = -1, touched_at = '-infinity'
 WHERE b.blob_id = ANY ($1) AND NOT EXISTS (SELECT FROM blob_refs r WHERE r.blob_id = b.blob_id)
RETURNING b.blob_id

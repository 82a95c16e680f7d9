-- A reader must own a reference.
SELECT b.size_bytes FROM blob_refs r JOIN blobs b ON b.blob_id = r.blob_id
WHERE r.user_id = $1 AND r.service = $2 AND r.blob_id = $3

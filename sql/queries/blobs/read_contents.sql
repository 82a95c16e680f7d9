-- Blobs of one chunk that the account references.
SELECT c.blob_id, c.bytes FROM blob_refs r JOIN blob_chunks c ON c.blob_id = r.blob_id AND c.seq = 0
 WHERE r.user_id = $1 AND r.service = $2 AND r.blob_id = ANY ($3::bigint[])

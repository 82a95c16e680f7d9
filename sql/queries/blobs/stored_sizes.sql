-- The next $2 complete blobs after $1, and how many bytes their chunks have. PostgreSQL stores the length of a chunk
-- separately: no bytes are read.
SELECT b.blob_id, b.size_bytes, coalesce((SELECT sum(length(c.bytes)) FROM blob_chunks c WHERE c.blob_id = b.blob_id), 0)::bigint AS stored
FROM blobs b WHERE b.blob_id > $1 AND b.sha256 IS NOT NULL ORDER BY b.blob_id LIMIT $2

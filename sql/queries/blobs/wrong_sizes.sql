-- plan: free
-- PostgreSQL stores the length of a chunk separately: no bytes are read.
SELECT b.blob_id, b.size_bytes, coalesce(sum(length(c.bytes)), 0)::bigint AS stored
FROM blobs b LEFT JOIN blob_chunks c ON c.blob_id = b.blob_id
WHERE b.sha256 IS NOT NULL
GROUP BY b.blob_id
HAVING coalesce(sum(length(c.bytes)), 0) <> b.size_bytes
LIMIT 100

-- plan: free
-- No foreign key says this: it would lock the blob's row for every reference, and tenants do not refer to shared tables.
SELECT r.user_id, r.service, r.blob_id
FROM blob_refs r LEFT JOIN blobs b ON b.blob_id = r.blob_id AND b.sha256 IS NOT NULL
WHERE b.size_bytes IS DISTINCT FROM r.size_bytes
LIMIT 100

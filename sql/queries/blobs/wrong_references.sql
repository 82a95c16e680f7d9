-- plan: free
-- References of an account to a blob that is missing or has another size. Not enforced by a foreign key: it would lock the
-- blob's row for every reference, and tenant tables do not reference shared ones.
SELECT r.service, r.blob_id
FROM blob_refs r LEFT JOIN blobs b ON b.blob_id = r.blob_id AND b.sha256 IS NOT NULL
WHERE r.user_id = $1 AND b.size_bytes IS DISTINCT FROM r.size_bytes
LIMIT 100

-- Blobs with these hashes, safe from the sweep until this transaction ends.
SELECT blob_id, sha256 FROM blobs WHERE sha256 = ANY ($1::bytea[]) ORDER BY blob_id FOR KEY SHARE

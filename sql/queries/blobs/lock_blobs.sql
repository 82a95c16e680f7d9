-- As lock_contents, by id.
SELECT blob_id FROM blobs WHERE blob_id = ANY ($1::bigint[]) AND sha256 IS NOT NULL ORDER BY blob_id FOR KEY SHARE

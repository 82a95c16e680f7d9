DELETE FROM blobs WHERE blob_id = $1 AND sha256 IS NULL

DELETE FROM blobs WHERE blob_id = ANY ($1) AND size_bytes = -1

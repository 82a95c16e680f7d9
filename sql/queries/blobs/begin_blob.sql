-- A blob that is being written. It has no hash, so no lookup finds it.
INSERT INTO blobs DEFAULT VALUES RETURNING blob_id

-- A blob that is being written: invisible, as nothing finds it by hash.
INSERT INTO blobs DEFAULT VALUES RETURNING blob_id

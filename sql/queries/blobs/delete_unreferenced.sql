-- Step two: a snapshot taken after the locks, so every reference that was committed before them is seen.
DELETE FROM blobs b WHERE b.blob_id = ANY ($1) AND NOT EXISTS (SELECT FROM blob_refs r WHERE r.blob_id = b.blob_id)

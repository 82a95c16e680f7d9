-- Step two of the sweep. Its snapshot is taken after the locks, so it sees every reference committed before
-- them.
DELETE FROM blobs b WHERE b.blob_id = ANY ($1) AND NOT EXISTS (SELECT FROM blob_refs r WHERE r.blob_id = b.blob_id)

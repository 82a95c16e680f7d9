-- An unneeded copy of at most one chunk: see store_contents.
WITH blob AS (
  INSERT INTO blobs (size_bytes, touched_at) VALUES (-1, '-infinity') RETURNING blob_id
)
INSERT INTO blob_chunks (blob_id, seq, bytes) SELECT blob_id, 0, $1 FROM blob

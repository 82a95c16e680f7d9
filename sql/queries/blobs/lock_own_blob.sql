-- A finished blob, unless it was touched since the transaction $2 that finished it. Another writer of the
-- same bytes touches the blob before it references it.
SELECT blob_id FROM blobs WHERE blob_id = $1 AND sha256 IS NOT NULL AND xmin::text::bigint = $2 FOR UPDATE

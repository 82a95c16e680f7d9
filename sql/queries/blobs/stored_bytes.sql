-- The size of the files that hold blobs; freed space that will be used again is part of it.
SELECT pg_total_relation_size('blob_chunks') AS bytes

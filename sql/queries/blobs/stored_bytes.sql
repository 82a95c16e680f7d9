-- Size on disk of the table that holds blobs, including free space that will be reused.
SELECT pg_total_relation_size('blob_chunks') AS bytes

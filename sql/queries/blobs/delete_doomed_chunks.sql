-- About $2 bytes, at least one chunk and at most 2,000. PostgreSQL stores the length of a chunk separately: no bytes are
-- read.
DELETE FROM blob_chunks WHERE ctid = ANY (ARRAY(
  SELECT counted.ctid
    FROM (SELECT first.ctid, sum(first.bytes) OVER (ORDER BY first.blob_id, first.seq) - first.bytes AS bytes_before
            FROM (SELECT c.ctid, c.blob_id, c.seq, length(c.bytes) AS bytes FROM blob_chunks c
                   WHERE c.blob_id = ANY ($1) ORDER BY c.blob_id, c.seq LIMIT 2000) AS first) AS counted
   WHERE counted.bytes_before < $2::bigint))

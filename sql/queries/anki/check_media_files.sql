-- One page of files, of at most $3 with usns above $2: the last usn (null: there are none), how many are not deleted, their
-- bytes, what the rows count with (MediaStore), and how many lack their blob or a reference.
SELECT max(p.usn) AS last_usn, count(*) FILTER (WHERE p.size_bytes > 0) AS files, coalesce(sum(p.size_bytes), 0)::bigint AS bytes,
       coalesce(sum(200 + octet_length(p.name)), 0)::bigint AS row_bytes,
       count(*) FILTER (WHERE p.size_bytes > 0
         AND NOT EXISTS (SELECT FROM blobs b WHERE b.blob_id = p.blob_id AND b.sha256 IS NOT NULL AND b.size_bytes = p.size_bytes)) AS without_blob,
       count(*) FILTER (WHERE p.size_bytes > 0
         AND NOT EXISTS (SELECT FROM blob_refs r WHERE r.user_id = $1 AND r.service = 'anki_media' AND r.blob_id = p.blob_id)) AS without_reference
  FROM (SELECT f.usn, f.name, f.size_bytes, f.blob_id FROM anki_media_files f
         WHERE f.user_id = $1 AND f.usn > $2 ORDER BY f.usn LIMIT $3) AS p

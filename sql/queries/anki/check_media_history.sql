-- As check_media_files, of replaced files, in the order of the change that replaced them.
SELECT max(p.replaced_usn) AS last_usn, coalesce(sum(200 + octet_length(p.name)), 0)::bigint AS row_bytes,
       count(*) FILTER (WHERE
         NOT EXISTS (SELECT FROM blobs b WHERE b.blob_id = p.blob_id AND b.sha256 IS NOT NULL AND b.size_bytes = p.size_bytes)) AS without_blob,
       count(*) FILTER (WHERE
         NOT EXISTS (SELECT FROM blob_refs r WHERE r.user_id = $1 AND r.service = 'anki_media' AND r.blob_id = p.blob_id)) AS without_reference
  FROM (SELECT h.replaced_usn, h.name, h.size_bytes, h.blob_id FROM anki_media_history h
         WHERE h.user_id = $1 AND h.replaced_usn > $2 ORDER BY h.replaced_usn LIMIT $3) AS p

-- plan: free
-- Blob references of media whose holder count differs from the number of rows, current and replaced.
SELECT r.blob_id, r.holders, coalesce(f.found, 0)::bigint AS found
  FROM blob_refs r
  LEFT JOIN (SELECT h.blob_id, count(*) AS found
               FROM (SELECT blob_id FROM anki_media_files WHERE user_id = $1 AND blob_id IS NOT NULL
                     UNION ALL SELECT blob_id FROM anki_media_history WHERE user_id = $1) AS h
              GROUP BY h.blob_id) AS f ON f.blob_id = r.blob_id
 WHERE r.user_id = $1 AND r.service = 'anki_media' AND coalesce(f.found, 0) <> r.holders
 LIMIT 100

-- Blob references of this service whose holder count differs from the number of base files.
SELECT r.blob_id, r.holders, count(f.base_blob) AS found
  FROM blob_refs r
  LEFT JOIN (SELECT base_blob FROM anki_collections WHERE user_id = $1
             UNION ALL SELECT base_blob FROM anki_history WHERE user_id = $1) AS f ON f.base_blob = r.blob_id
 WHERE r.user_id = $1 AND r.service = 'anki'
 GROUP BY r.blob_id, r.holders HAVING count(f.base_blob) <> r.holders

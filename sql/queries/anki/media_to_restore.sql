-- plan: free
-- Files that are not what they were after the change with usn $2: their usn now, and the key of what they were in the history
-- (0: they did not exist).
SELECT f.usn, coalesce(h.replaced_usn, 0) AS from_usn
  FROM anki_media_files f
  LEFT JOIN anki_media_history h ON h.user_id = $1 AND h.name = f.name AND h.usn <= $2::int AND h.replaced_usn > $2::int
 WHERE f.user_id = $1 AND f.usn > $2::int AND h.sha1 IS DISTINCT FROM f.sha1
 ORDER BY f.usn

-- At most $3 files with a usn above $2. A usn above ours is one of another server, or of a server whose database was lost: all
-- files are news for that client.
SELECT f.name, f.usn, f.sha1
  FROM anki_media_files f
 WHERE f.user_id = $1
   AND f.usn > CASE WHEN $2 > coalesce((SELECT m.last_usn FROM anki_media m WHERE m.user_id = $1), 0) THEN 0 ELSE $2::int END
 ORDER BY f.usn LIMIT $3

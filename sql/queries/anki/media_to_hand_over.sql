-- The next $3 files after a usn, deleted ones with size 0, in the order of their usns.
SELECT name, usn, size_bytes, blob_id, sha1, changed_at FROM anki_media_files
 WHERE user_id = $1 AND usn > $2 ORDER BY usn LIMIT $3

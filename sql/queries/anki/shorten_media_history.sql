-- After old rows were deleted: the head says how old the oldest of the others is.
UPDATE anki_media SET row_bytes = row_bytes - $2,
       history_since = (SELECT h.replaced_at FROM anki_media_history h
                         WHERE h.user_id = $1 AND h.replaced_usn > 0 ORDER BY h.replaced_usn LIMIT 1)
 WHERE user_id = $1

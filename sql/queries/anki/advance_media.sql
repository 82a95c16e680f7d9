-- $6: whether the batch has replaced or deleted a file.
UPDATE anki_media SET last_usn = $2, files = files + $3, bytes = bytes + $4, row_bytes = row_bytes + $5,
       history_since = CASE WHEN $6 THEN coalesce(history_since, now()) ELSE history_since END
 WHERE user_id = $1

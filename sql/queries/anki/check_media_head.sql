SELECT last_usn, files, bytes, row_bytes, history_since FROM anki_media WHERE user_id = $1

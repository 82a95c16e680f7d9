SELECT last_usn, files, bytes, row_bytes FROM anki_media WHERE user_id = $1

SELECT last_usn, files FROM anki_media WHERE user_id = $1

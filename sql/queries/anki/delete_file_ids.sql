DELETE FROM anki_file_ids WHERE user_id = $1 AND generation = $2

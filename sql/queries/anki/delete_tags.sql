DELETE FROM anki_tags WHERE user_id = $1 AND generation = $2

DELETE FROM anki_objects WHERE user_id = $1 AND generation = $2

SELECT kind, id, json FROM anki_objects WHERE user_id = $1 AND generation = $2 AND kind IN (0, 1)

DELETE FROM anki_history WHERE user_id = $1 AND generation = $2

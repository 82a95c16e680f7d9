DELETE FROM anki_notes WHERE user_id = $1 AND generation = $2
   AND id IN (SELECT id FROM anki_notes WHERE user_id = $1 AND generation = $2 ORDER BY id LIMIT $3)

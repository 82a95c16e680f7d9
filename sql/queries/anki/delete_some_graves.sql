DELETE FROM anki_graves WHERE user_id = $1 AND generation = $2
   AND (kind, id) IN (SELECT kind, id FROM anki_graves WHERE user_id = $1 AND generation = $2 ORDER BY kind, id LIMIT $3)

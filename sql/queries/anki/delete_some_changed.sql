DELETE FROM anki_changed WHERE user_id = $1 AND generation = $2
   AND (part, usn, last_id) IN (SELECT part, usn, last_id FROM anki_changed WHERE user_id = $1 AND generation = $2
                                 ORDER BY part, usn, last_id LIMIT $3)

SELECT name, usn FROM anki_tags WHERE user_id = $1 AND generation = $2 AND usn >= $3 ORDER BY name_key

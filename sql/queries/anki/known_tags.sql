SELECT name_key, name FROM anki_tags WHERE user_id = $1 AND generation = $2 AND name_key = ANY ($3::text[])

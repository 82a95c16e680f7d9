INSERT INTO anki_tags (user_id, generation, name_key, name, usn)
SELECT $1, $2, s.name_key, s.name, $4 FROM anki_staged_tags s WHERE s.user_id = $1 AND s.fence = $3
ON CONFLICT (user_id, generation, name_key) DO NOTHING

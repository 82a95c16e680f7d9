-- What an import compares notes by, in pages by id.
SELECT id, guid, mod, notetype_id FROM anki_notes WHERE user_id = $1 AND generation = $2 AND id > $3 ORDER BY id LIMIT $4

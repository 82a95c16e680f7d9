-- Every name of a kind, for finding a free one after a clash.
SELECT id, name_key FROM anki_objects WHERE user_id = $1 AND generation = $2 AND kind = $3

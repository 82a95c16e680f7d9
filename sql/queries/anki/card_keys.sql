-- What an import compares cards by, in pages by id.
SELECT id, note_id, ord FROM anki_cards WHERE user_id = $1 AND generation = $2 AND id > $3 ORDER BY id LIMIT $4

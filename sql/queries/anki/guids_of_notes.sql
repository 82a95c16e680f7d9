-- $1 account  $2 generation  $3 ids of notes
SELECT guid FROM anki_notes WHERE user_id = $1 AND generation = $2 AND id = ANY ($3::bigint[])

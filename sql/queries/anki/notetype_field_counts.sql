-- Of the collection, and of what this session is about to add or replace.
SELECT id, field_count FROM anki_objects
 WHERE user_id = $1 AND generation = $2 AND kind = 0 AND id = ANY ($4::bigint[])
UNION
SELECT id, field_count FROM anki_staged_objects
 WHERE user_id = $1 AND fence = $3 AND kind = 0 AND id = ANY ($4::bigint[])

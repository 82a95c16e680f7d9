-- $1 account  $2 generation  $3 ids of notes
SELECT n.guid
FROM unnest($3::bigint[]) AS u (id)
CROSS JOIN LATERAL (SELECT guid FROM anki_notes WHERE user_id = $1 AND generation = $2 AND id = u.id LIMIT 1) AS n

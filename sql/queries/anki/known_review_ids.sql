-- Those of the ids that are in use. See new_ids about scalar subqueries.
SELECT i.id FROM unnest($3::bigint[]) AS i (id)
 WHERE (SELECT r.id FROM anki_revlog r WHERE r.user_id = $1 AND r.generation = $2 AND r.id = i.id) IS NOT NULL

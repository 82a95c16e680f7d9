DELETE FROM anki_objects o USING anki_staged_graves g
 WHERE g.user_id = $1 AND g.fence = $3 AND g.kind = 2 AND o.user_id = $1 AND o.generation = $2 AND o.kind = 1 AND o.id = g.id

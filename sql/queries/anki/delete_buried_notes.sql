DELETE FROM anki_notes n USING anki_staged_graves g
 WHERE g.user_id = $1 AND g.fence = $3 AND g.kind = 1 AND n.user_id = $1 AND n.generation = $2 AND n.id = g.id

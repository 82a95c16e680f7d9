DELETE FROM anki_cards c USING anki_staged_graves g
 WHERE g.user_id = $1 AND g.fence = $3 AND g.kind = 0 AND c.user_id = $1 AND c.generation = $2 AND c.id = g.id

-- What the staged graves take away: they are applied before anything is inserted, so an object that the same sync sends
-- again is not among them. is_row: it is in its table now (while a file is being imported it may not be there yet).
SELECT g.kind, g.id,
       CASE g.kind
         WHEN 0 THEN EXISTS (SELECT FROM anki_cards k WHERE k.user_id = $1 AND k.generation = $2 AND k.id = g.id)
         WHEN 1 THEN EXISTS (SELECT FROM anki_notes k WHERE k.user_id = $1 AND k.generation = $2 AND k.id = g.id)
         ELSE EXISTS (SELECT FROM anki_objects k WHERE k.user_id = $1 AND k.generation = $2 AND k.kind = 1 AND k.id = g.id)
       END AS is_row,
       CASE g.kind
         WHEN 0 THEN EXISTS (SELECT FROM anki_staged_cards s WHERE s.user_id = $1 AND s.fence = $3 AND g.id = ANY (s.ids))
         WHEN 1 THEN EXISTS (SELECT FROM anki_staged_notes s WHERE s.user_id = $1 AND s.fence = $3 AND g.id = ANY (s.ids))
         ELSE EXISTS (SELECT FROM anki_staged_objects s WHERE s.user_id = $1 AND s.fence = $3 AND s.kind = 1 AND s.id = g.id)
       END AS is_sent_again
  FROM anki_staged_graves g WHERE g.user_id = $1 AND g.fence = $3

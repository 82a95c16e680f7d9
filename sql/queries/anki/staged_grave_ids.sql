-- The staged graves. They are applied before anything is inserted, so an object that the same sync sends again
-- (is_sent_again) is not deleted. is_row: the object is in its table now; while a file is being imported it may be
-- missing. IN rather than EXISTS for staged rows: IN hashes them once. A search of every message for every grave would
-- take minutes when a large deck is replaced.
SELECT g.kind, g.id,
       CASE g.kind
         WHEN 0 THEN EXISTS (SELECT FROM anki_cards k WHERE k.user_id = $1 AND k.generation = $2 AND k.id = g.id)
         WHEN 1 THEN EXISTS (SELECT FROM anki_notes k WHERE k.user_id = $1 AND k.generation = $2 AND k.id = g.id)
         ELSE EXISTS (SELECT FROM anki_objects k WHERE k.user_id = $1 AND k.generation = $2 AND k.kind = 1 AND k.id = g.id)
       END AS is_row,
       CASE g.kind
         WHEN 0 THEN g.id IN (SELECT u.id FROM anki_staged_cards s, unnest(s.ids) AS u (id) WHERE s.user_id = $1 AND s.fence = $3)
         WHEN 1 THEN g.id IN (SELECT u.id FROM anki_staged_notes s, unnest(s.ids) AS u (id) WHERE s.user_id = $1 AND s.fence = $3)
         ELSE g.id IN (SELECT s.id FROM anki_staged_objects s WHERE s.user_id = $1 AND s.fence = $3 AND s.kind = 1)
       END AS is_sent_again
  FROM anki_staged_graves g WHERE g.user_id = $1 AND g.fence = $3

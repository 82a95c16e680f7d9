-- Staged cards that are no rows yet.
SELECT DISTINCT s.id FROM anki_staged_cards c, unnest(c.ids) AS s (id)
 WHERE c.user_id = $1 AND c.fence = $3
   AND NOT EXISTS (SELECT FROM anki_cards k WHERE k.user_id = $1 AND k.generation = $2 AND k.id = s.id)

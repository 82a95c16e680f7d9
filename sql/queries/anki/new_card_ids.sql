-- Staged cards that are no rows yet. A scalar subquery, because PostgreSQL never makes a join of it: expecting a few cards
-- an account, it may read all of somebody's 50,000 to find one.
SELECT DISTINCT s.id FROM anki_staged_cards c, unnest(c.ids) AS s (id)
 WHERE c.user_id = $1 AND c.fence = $3
   AND (SELECT k.id FROM anki_cards k WHERE k.user_id = $1 AND k.generation = $2 AND k.id = s.id) IS NULL

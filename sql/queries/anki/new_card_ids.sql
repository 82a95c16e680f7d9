-- Ids of staged cards that are not in the table yet. PostgreSQL never turns a scalar subquery into a join. With a join,
-- if its statistics expect few cards per account, it may read all 50,000 cards of an account to find one.
SELECT DISTINCT s.id FROM anki_staged_cards c, unnest(c.ids) AS s (id)
 WHERE c.user_id = $1 AND c.fence = $3
   AND (SELECT k.id FROM anki_cards k WHERE k.user_id = $1 AND k.generation = $2 AND k.id = s.id) IS NULL

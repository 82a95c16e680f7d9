-- Ids of staged rows that are not in their table yet; NULL for kinds that the session has not staged. PostgreSQL never
-- turns a scalar subquery into a join. With a join, if its statistics expect few cards per account, it may read all 50,000
-- cards of an account to find one.
SELECT CASE WHEN s.staged & 16 <> 0 THEN ARRAY(
         SELECT DISTINCT u.id FROM anki_staged_cards c, unnest(c.ids) AS u (id)
          WHERE c.user_id = $1 AND c.fence = s.fence
            AND (SELECT k.id FROM anki_cards k WHERE k.user_id = $1 AND k.generation = s.generation AND k.id = u.id) IS NULL) END AS cards,
       CASE WHEN s.staged & 32 <> 0 THEN ARRAY(
         SELECT DISTINCT u.id FROM anki_staged_notes c, unnest(c.ids) AS u (id)
          WHERE c.user_id = $1 AND c.fence = s.fence
            AND (SELECT k.id FROM anki_notes k WHERE k.user_id = $1 AND k.generation = s.generation AND k.id = u.id) IS NULL) END AS notes,
       CASE WHEN s.staged & 8 <> 0 THEN ARRAY(
         SELECT DISTINCT u.id FROM anki_staged_revlog c, unnest(c.ids) AS u (id)
          WHERE c.user_id = $1 AND c.fence = s.fence
            AND (SELECT k.id FROM anki_revlog k WHERE k.user_id = $1 AND k.generation = s.generation AND k.id = u.id) IS NULL) END AS reviews
  FROM anki_sessions s WHERE s.user_id = $1 AND s.session_key = $2

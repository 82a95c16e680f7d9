-- What a session has staged: per part the number of rows and the first $3 ids. Tags have no ids, and their names are
-- private.
SELECT t.part, count(*) AS count,
       coalesce((array_agg(t.id ORDER BY t.id) FILTER (WHERE t.id IS NOT NULL))[1:$3::int], '{}') AS ids
  FROM (
    SELECT 'cards' AS part, u.id FROM anki_staged_cards s, unnest(s.ids) AS u (id) WHERE s.user_id = $1 AND s.fence = $2
    UNION ALL
    SELECT 'notes', u.id FROM anki_staged_notes s, unnest(s.ids) AS u (id) WHERE s.user_id = $1 AND s.fence = $2
    UNION ALL
    SELECT 'revlog', u.id FROM anki_staged_revlog s, unnest(s.ids) AS u (id) WHERE s.user_id = $1 AND s.fence = $2
    UNION ALL
    SELECT CASE s.kind WHEN 0 THEN 'notetypes' WHEN 1 THEN 'decks' ELSE 'deck_configs' END, s.id
      FROM anki_staged_objects s WHERE s.user_id = $1 AND s.fence = $2
    UNION ALL
    SELECT CASE s.kind WHEN 0 THEN 'card_graves' WHEN 1 THEN 'note_graves' ELSE 'deck_graves' END, s.id
      FROM anki_staged_graves s WHERE s.user_id = $1 AND s.fence = $2
    UNION ALL
    SELECT 'tags', NULL FROM anki_staged_tags s WHERE s.user_id = $1 AND s.fence = $2
  ) t
 GROUP BY t.part ORDER BY t.part

-- plan: free
-- Cards of a note with the number of another one.
SELECT coalesce(sum(s.cards - 1), 0)::bigint AS duplicates
  FROM (SELECT count(*) AS cards FROM anki_cards c
          JOIN anki_notes n ON n.user_id = $1 AND n.generation = $2 AND n.id = c.note_id
         WHERE c.user_id = $1 AND c.generation = $2 GROUP BY c.note_id, c.ord HAVING count(*) > 1) AS s

-- See new_card_ids.
SELECT DISTINCT s.id FROM anki_staged_revlog c, unnest(c.ids) AS s (id)
 WHERE c.user_id = $1 AND c.fence = $3
   AND (SELECT k.id FROM anki_revlog k WHERE k.user_id = $1 AND k.generation = $2 AND k.id = s.id) IS NULL

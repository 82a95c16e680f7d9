-- See delete_cards_by_grave.
DELETE FROM anki_notes WHERE ctid = ANY (ARRAY(
  SELECT (SELECT n.ctid FROM anki_notes n WHERE n.user_id = $1 AND n.generation = $2 AND n.id = g.id)
    FROM anki_staged_graves g WHERE g.user_id = $1 AND g.fence = $3 AND g.kind = 1))

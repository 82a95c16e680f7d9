-- One scalar subquery per grave: see new_ids. The collection is locked, so no ctid changes meanwhile.
DELETE FROM anki_cards WHERE ctid = ANY (ARRAY(
  SELECT (SELECT c.ctid FROM anki_cards c WHERE c.user_id = $1 AND c.generation = $2 AND c.id = g.id)
    FROM anki_staged_graves g WHERE g.user_id = $1 AND g.fence = $3 AND g.kind = 0))

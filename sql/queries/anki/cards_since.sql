-- Keyset pages in index order; rows do not change during a session. Omits what the session with fence $7 has deleted
-- (0: no session): its client no longer has those cards and must not get them back.
SELECT id, note_id, deck_id, ord, mod, usn, type, queue, due, interval, factor, reps, lapses, remaining, original_due,
       original_deck_id, flags, data
  FROM anki_cards c WHERE user_id = $1 AND generation = $2 AND usn >= $3 AND (usn, id) > ($4, $5)
   AND ($7::bigint = 0 OR (SELECT g.id FROM anki_staged_graves g WHERE g.user_id = $1 AND g.fence = $7 AND g.kind = 0 AND g.id = c.id) IS NULL)
 ORDER BY usn, id LIMIT $6

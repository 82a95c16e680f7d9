-- Keyset pages in the order of the index; nothing changes under a session.
SELECT id, note_id, deck_id, ord, mod, usn, type, queue, due, interval, factor, reps, lapses, remaining, original_due,
       original_deck_id, flags, data
  FROM anki_cards WHERE user_id = $1 AND generation = $2 AND usn >= $3 AND (usn, id) > ($4, $5) ORDER BY usn, id LIMIT $6

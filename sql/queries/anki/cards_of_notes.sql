-- $1 account  $2 generation  $3 ids of notes
SELECT id, note_id, deck_id, ord, mod, usn, type, queue, due, interval, factor, reps, lapses, remaining, original_due,
       original_deck_id, flags, data
  FROM anki_cards WHERE user_id = $1 AND generation = $2 AND note_id = ANY ($3::bigint[]) ORDER BY id

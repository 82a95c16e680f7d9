-- Inserts rows of the base file without overwriting what syncs have written since: an existing row is newer, and what
-- was deleted stays deleted (graves below base_usn come from the file and do not count). The caller holds the
-- collection's lock, so no sync finishes meanwhile. Scalar subqueries: see new_ids.
INSERT INTO anki_cards (user_id, generation, id, note_id, deck_id, ord, mod, usn, type, queue, due, interval, factor, reps,
    lapses, remaining, original_due, original_deck_id, flags, data)
SELECT $1, $2, u.id, u.note_id, u.deck_id, u.ord, u.mod, u.usn, u.type, u.queue, u.due, u.interval, u.factor, u.reps, u.lapses,
    u.remaining, u.original_due, u.original_deck_id, u.flags, u.data
  FROM unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::int[], $7::bigint[], $8::int[], $9::smallint[], $10::smallint[],
              $11::int[], $12::bigint[], $13::int[], $14::bigint[], $15::bigint[], $16::bigint[], $17::int[], $18::bigint[],
              $19::smallint[], $20::text[])
    AS u (id, note_id, deck_id, ord, mod, usn, type, queue, due, interval, factor, reps, lapses, remaining, original_due,
          original_deck_id, flags, data)
 WHERE coalesce((SELECT g.usn FROM anki_graves g WHERE g.user_id = $1 AND g.generation = $2 AND g.kind = 0 AND g.id = u.id)
                < (SELECT c.base_usn FROM anki_collections c WHERE c.user_id = $1), true)
ON CONFLICT (user_id, generation, id) DO NOTHING

-- What syncs from usn $3 on have replaced, deleted or added (all but absent_id are null), the newest first: who applies them
-- in this order ends with what was there before usn $3. One page: at most $6 pieces, those after the piece ($4, $5).
SELECT u.id, u.note_id, u.deck_id, u.ord, u.mod, u.usn, u.type, u.queue, u.due, u.interval, u.factor, u.reps, u.lapses,
       u.remaining, u.original_due, u.original_deck_id, u.flags, u.data, u.absent_id,
       o.at_usn, o.piece
  FROM (SELECT p.* FROM anki_old_cards p
         WHERE p.user_id = $1 AND p.generation = $2 AND p.at_usn >= $3 AND (p.at_usn, p.piece) < ($4, $5)
         ORDER BY p.at_usn DESC, p.piece DESC LIMIT $6) AS o
 CROSS JOIN LATERAL unnest(o.ids, o.note_ids, o.deck_ids, o.ords, o.mods, o.usns, o.types, o.queues, o.dues, o.intervals, o.factors,
         o.reps, o.lapses, o.remainings, o.original_dues, o.original_deck_ids, o.flags, o.datas, o.absent)
       AS u (id, note_id, deck_id, ord, mod, usn, type, queue, due, interval, factor, reps, lapses, remaining, original_due,
             original_deck_id, flags, data, absent_id)
 ORDER BY o.at_usn DESC, o.piece DESC

-- The client has seen every usn below $5. If both sides changed a card since, the later mod wins. The sender keeps its
-- own card on a tie, so the server takes that one and all devices converge (upstream's devices then differ forever).
-- If a card was sent twice, the last one counts. Lists what was sent (anki_changed): an entry whose card kept its older
-- usn is skipped by readers.
-- What they replace is kept (anki_old_cards): the snapshot of the statement has the old rows.
WITH sent AS MATERIALIZED (
  SELECT DISTINCT ON (u.id) u.*
    FROM anki_staged_cards s,
         unnest(s.ids, s.note_ids, s.deck_ids, s.ords, s.mods, s.types, s.queues, s.dues, s.intervals, s.factors, s.reps,
                s.lapses, s.remainings, s.original_dues, s.original_deck_ids, s.flags, s.datas)
           WITH ORDINALITY AS u (id, note_id, deck_id, ord, mod, type, queue, due, interval, factor, reps, lapses, remaining,
                 original_due, original_deck_id, flags, data, position)
   WHERE s.user_id = $1 AND s.fence = $3 ORDER BY u.id, s.seq DESC, u.position DESC
), kept AS (
  INSERT INTO anki_old_cards (user_id, generation, at_usn, piece, bytes, absent,
    ids, note_ids, deck_ids, ords, mods, usns, types, queues, dues, intervals, factors, reps, lapses, remainings,
    original_dues, original_deck_ids, flags, datas)
  SELECT $1, $2, $4, p.piece, sum(60 + coalesce(octet_length(p.data), 0)), array_agg(p.sent_id) FILTER (WHERE p.id IS NULL),
         array_agg(p.id), array_agg(p.note_id), array_agg(p.deck_id), array_agg(p.ord), array_agg(p.mod),
         array_agg(p.usn), array_agg(p.type), array_agg(p.queue), array_agg(p.due), array_agg(p.interval),
         array_agg(p.factor), array_agg(p.reps), array_agg(p.lapses), array_agg(p.remaining),
         array_agg(p.original_due), array_agg(p.original_deck_id), array_agg(p.flags), array_agg(p.data)
    FROM (SELECT u.id AS sent_id, c.*, sum(200 + coalesce(octet_length(c.data), 0)) OVER (ORDER BY u.id) / 1048576 AS piece
            FROM sent u
            LEFT JOIN LATERAL (SELECT * FROM anki_cards r WHERE r.user_id = $1 AND r.generation = $2 AND r.id = u.id OFFSET 0) AS c ON true) AS p
   GROUP BY p.piece
), listed AS (
  INSERT INTO anki_changed (user_id, generation, part, usn, last_id, ids)
  SELECT $1, $2, 16, $4, a.ids[least(n + 199, cardinality(a.ids))], a.ids[n:n + 199]
    FROM (SELECT array_agg(u.id ORDER BY u.id) AS ids FROM sent u) AS a, generate_series(1, cardinality(a.ids), 200) AS n
)
INSERT INTO anki_cards AS c (user_id, generation, id, note_id, deck_id, ord, mod, usn, type, queue, due, interval, factor, reps,
    lapses, remaining, original_due, original_deck_id, flags, data)
SELECT $1::bigint, $2::int, u.id, u.note_id, u.deck_id, u.ord, u.mod, $4::int, u.type, u.queue, u.due, u.interval,
    u.factor, u.reps, u.lapses, u.remaining, u.original_due, u.original_deck_id, u.flags, u.data
  FROM sent u
ON CONFLICT (user_id, generation, id) DO UPDATE SET note_id = excluded.note_id, deck_id = excluded.deck_id, ord = excluded.ord,
    mod = excluded.mod, usn = excluded.usn, type = excluded.type, queue = excluded.queue, due = excluded.due,
    interval = excluded.interval, factor = excluded.factor, reps = excluded.reps, lapses = excluded.lapses,
    remaining = excluded.remaining, original_due = excluded.original_due, original_deck_id = excluded.original_deck_id,
    flags = excluded.flags, data = excluded.data
 WHERE c.usn < $5 OR c.mod <= excluded.mod

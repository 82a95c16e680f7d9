-- A review is never changed: the first one with an id stays.
INSERT INTO anki_revlog (user_id, generation, id, card_id, usn, ease, interval, last_interval, factor, taken_ms, type)
SELECT $1, $2, u.id, u.card_id, $4, u.ease, u.interval, u.last_interval, u.factor, u.taken_ms, u.type
  FROM anki_staged_revlog s,
       unnest(s.ids, s.card_ids, s.eases, s.intervals, s.last_intervals, s.factors, s.taken_mss, s.types)
         WITH ORDINALITY AS u (id, card_id, ease, interval, last_interval, factor, taken_ms, type, position)
 WHERE s.user_id = $1 AND s.fence = $3 ORDER BY s.seq, u.position
ON CONFLICT (user_id, generation, id) DO NOTHING

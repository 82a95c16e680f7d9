-- A review is never changed: the first one with an id stays. Another review that a second device made in the same
-- millisecond is kept under the next free id, up to a second later. No client can be told to move its own, so the moved one gets the usn after
-- this sync's: its sender is sent it next time like everybody else, and counts it then. One that was moved before (the
-- client never heard of it and sends it again) is not moved twice. Not while a file is being imported, whose ids are
-- not here yet.
WITH RECURSIVE sent AS MATERIALIZED (
  SELECT u.id, u.card_id, u.ease, u.interval, u.last_interval, u.factor, u.taken_ms, u.type, s.seq, u.position
    FROM anki_staged_revlog s,
         unnest(s.ids, s.card_ids, s.eases, s.intervals, s.last_intervals, s.factors, s.taken_mss, s.types)
           WITH ORDINALITY AS u (id, card_id, ease, interval, last_interval, factor, taken_ms, type, position)
   WHERE s.user_id = $1 AND s.fence = $3
), added AS (
  INSERT INTO anki_revlog (user_id, generation, id, card_id, usn, ease, interval, last_interval, factor, taken_ms, type)
  SELECT $1, $2, m.id, m.card_id, $4, m.ease, m.interval, m.last_interval, m.factor, m.taken_ms, m.type
    FROM sent m ORDER BY m.seq, m.position
  ON CONFLICT (user_id, generation, id) DO NOTHING
  RETURNING id
), moved AS MATERIALIZED (
  SELECT m.*, row_number() OVER (ORDER BY m.id, m.seq, m.position) AS n
    FROM sent m
   WHERE CASE WHEN m.id IN (SELECT a.id FROM added a) THEN false
              WHEN m.id > 9223372036854774807 THEN false  -- no id is 1000 higher
              WHEN (SELECT c.import_step FROM anki_collections c WHERE c.user_id = $1) <> 3 THEN false
              ELSE (SELECT count(*) FROM anki_revlog r
                     WHERE r.user_id = $1 AND r.generation = $2 AND r.id BETWEEN m.id AND m.id + 1000
                       AND r.card_id = m.card_id AND r.ease = m.ease AND r.interval = m.interval AND r.taken_ms = m.taken_ms) = 0
         END
), taken AS (
  SELECT array_agg(m.id ORDER BY m.n) AS ids FROM moved m
), placed (n, id) AS (
  -- One after the other, each behind the one before it.
  SELECT 0::bigint, (-9223372036854775808)::bigint
   UNION ALL
  SELECT p.n + 1,
         (SELECT f.id FROM generate_series(greatest(p.id, t.ids[p.n + 1]) + 1, t.ids[p.n + 1] + 1000) AS f (id)
           WHERE (SELECT r.id FROM anki_revlog r WHERE r.user_id = $1 AND r.generation = $2 AND r.id = f.id) IS NULL
             AND f.id NOT IN (SELECT a.id FROM added a)
           ORDER BY f.id LIMIT 1)
    FROM placed p, taken t WHERE p.n < cardinality(t.ids)
)
INSERT INTO anki_revlog (user_id, generation, id, card_id, usn, ease, interval, last_interval, factor, taken_ms, type)
SELECT $1, $2, p.id, m.card_id, $4::int + 1, m.ease, m.interval, m.last_interval, m.factor, m.taken_ms, m.type
  FROM moved m, placed p WHERE p.n = m.n AND p.id IS NOT NULL

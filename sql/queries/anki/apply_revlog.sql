-- A review never changes: on an id conflict the stored row stays. Ids are times in ms, so two devices can give one id
-- to different reviews. The second is stored under the next free id within 1000 ms (dropped if there is none;
-- upstream drops all of them). No client can be told to renumber its copy, so the stored row gets usn $4 + 1: the
-- sender has not seen that usn and fetches the row at its next sync. A review that is already stored in that second
-- (same card, ease, interval, taken_ms) was sent again and is skipped. Nothing is moved during an import
-- (import_step <> 3), because the table does not have all ids of the base file yet. Scalar subqueries: see
-- new_ids. Lists what was stored (anki_changed).
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
              WHEN (SELECT r.card_id = m.card_id AND r.ease = m.ease AND r.interval = m.interval AND r.taken_ms = m.taken_ms
                      FROM anki_revlog r WHERE r.user_id = $1 AND r.generation = $2 AND r.id = m.id) THEN false
              ELSE (SELECT count(*) FROM anki_revlog r
                     WHERE r.user_id = $1 AND r.generation = $2 AND r.id BETWEEN m.id + 1 AND m.id + 1000
                       AND r.card_id = m.card_id AND r.ease = m.ease AND r.interval = m.interval AND r.taken_ms = m.taken_ms) = 0
         END
   LIMIT 5000  -- each costs up to a millisecond; two real devices never share this many ids
), taken AS (
  SELECT array_agg(m.id ORDER BY m.n) AS ids FROM moved m
), placed (n, id) AS (
  -- One at a time: each id is above the one before.
  SELECT 0::bigint, (-9223372036854775808)::bigint  -- below every id
   UNION ALL
  SELECT p.n + 1,
         (SELECT f.id FROM (SELECT generate_series(greatest(p.id, t.ids[p.n + 1]) + 1, t.ids[p.n + 1] + 1000) AS id) f
           WHERE (SELECT r.id FROM anki_revlog r WHERE r.user_id = $1 AND r.generation = $2 AND r.id = f.id) IS NULL
             AND f.id NOT IN (SELECT a.id FROM added a)
           LIMIT 1)  -- the lowest: a series in a SELECT list is ordered, and generated only as far as it is read
    FROM placed p, taken t WHERE p.n < cardinality(t.ids)
), places AS (
  -- An array: a nested loop over moved and placed would be quadratic.
  SELECT array_agg(p.id ORDER BY p.n) AS ids FROM placed p WHERE p.n > 0
), stored AS (
  INSERT INTO anki_revlog (user_id, generation, id, card_id, usn, ease, interval, last_interval, factor, taken_ms, type)
  SELECT $1, $2, s.ids[m.n], m.card_id, $4::int + 1, m.ease, m.interval, m.last_interval, m.factor, m.taken_ms, m.type
    FROM moved m, places s WHERE s.ids[m.n] IS NOT NULL
  RETURNING id, usn
)
INSERT INTO anki_changed (user_id, generation, part, usn, last_id, ids)
SELECT $1, $2, 8, p.usn, max(p.id), array_agg(p.id ORDER BY p.id)
  FROM (SELECT u.id, u.usn, (row_number() OVER (PARTITION BY u.usn ORDER BY u.id) - 1) / 200 AS piece
          FROM (SELECT a.id, $4::int AS usn FROM added a UNION ALL SELECT s.id, s.usn FROM stored s) AS u) AS p
 GROUP BY p.usn, p.piece

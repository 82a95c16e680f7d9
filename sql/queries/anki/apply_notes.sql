-- See apply_cards.
WITH sent AS MATERIALIZED (
  SELECT DISTINCT ON (u.id) u.*
    FROM anki_staged_notes s,
         unnest(s.ids, s.guids, s.notetype_ids, s.mods, s.tags, s.fields)
           WITH ORDINALITY AS u (id, guid, notetype_id, mod, tags, fields, position)
   WHERE s.user_id = $1 AND s.fence = $3 ORDER BY u.id, s.seq DESC, u.position DESC
), kept AS (
  INSERT INTO anki_old_notes (user_id, generation, at_usn, piece, bytes, absent, ids, guids, notetype_ids, mods, usns, tags, fields)
  SELECT $1, $2, $4, p.piece, sum(60 + coalesce(p.text_bytes, 0)), array_agg(p.sent_id) FILTER (WHERE p.id IS NULL),
         array_agg(p.id), array_agg(p.guid), array_agg(p.notetype_id), array_agg(p.mod), array_agg(p.usn),
         array_agg(p.tags), array_agg(p.fields)
    FROM (SELECT u.id AS sent_id, n.*, sum(200 + coalesce(n.text_bytes, 0)) OVER (ORDER BY u.id) / 1048576 AS piece
            FROM sent u
            LEFT JOIN LATERAL (
              SELECT r.*, octet_length(r.guid) + octet_length(r.tags) + octet_length(r.fields) AS text_bytes
                FROM anki_notes r WHERE r.user_id = $1 AND r.generation = $2 AND r.id = u.id OFFSET 0) AS n ON true) AS p
   GROUP BY p.piece
), listed AS (
  INSERT INTO anki_changed (user_id, generation, part, usn, last_id, ids)
  SELECT $1, $2, 32, $4, a.ids[least(n + 199, cardinality(a.ids))], a.ids[n:n + 199]
    FROM (SELECT array_agg(u.id ORDER BY u.id) AS ids FROM sent u) AS a, generate_series(1, cardinality(a.ids), 200) AS n
)
INSERT INTO anki_notes AS n (user_id, generation, id, guid, notetype_id, mod, usn, tags, fields)
SELECT $1::bigint, $2::int, u.id, u.guid, u.notetype_id, u.mod, $4::int, u.tags, u.fields
  FROM sent u
ON CONFLICT (user_id, generation, id) DO UPDATE SET guid = excluded.guid, notetype_id = excluded.notetype_id,
    mod = excluded.mod, usn = excluded.usn, tags = excluded.tags, fields = excluded.fields
 WHERE n.usn < $5 OR n.mod <= excluded.mod

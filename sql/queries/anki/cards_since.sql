-- Keyset pages; rows do not change during a session. Position ($4, $5): (-1, any) is the beginning. First come, at 0, the
-- rows that the base file had, in the order of their ids, if the client has not seen them all ($3 is below base_usn). Then,
-- at their usn, those that syncs have changed since: anki_changed lists them. An entry whose row has another usn by now
-- is skipped. OFFSET 0: the lateral subquery is run for each row and never becomes a join (see new_ids).
-- Omits what the session with fence $7 has deleted (0: no session): its client no longer has those cards and must not get
-- them back. Data of more than $8 bytes is NULL.
SELECT c.id, c.note_id, c.deck_id, c.ord, c.mod, c.usn, c.type, c.queue, c.due, c.interval, c.factor, c.reps,
       c.lapses, c.remaining, c.original_due, c.original_deck_id, c.flags,
       CASE WHEN octet_length(c.data) <= $8::bigint THEN c.data END AS data, p.at_usn
  FROM ((SELECT f.id, 0 AS at_usn FROM anki_cards f
          WHERE f.user_id = $1 AND f.generation = $2 AND f.id > CASE WHEN $4::int < 0 THEN (-9223372036854775808)::bigint ELSE $5::bigint END
            AND f.usn >= $3::int AND f.usn < (SELECT b.base_usn FROM anki_collections b WHERE b.user_id = $1)
            AND $4::int < 1 AND $3::int < (SELECT b.base_usn FROM anki_collections b WHERE b.user_id = $1)
            AND ($7::bigint = 0 OR (SELECT g.id FROM anki_staged_graves g WHERE g.user_id = $1 AND g.fence = $7 AND g.kind = 0 AND g.id = f.id) IS NULL)
          ORDER BY f.id LIMIT $6)
         UNION ALL
        (SELECT i.id, l.usn FROM anki_changed l, unnest(l.ids) AS i (id)
          WHERE l.user_id = $1 AND l.generation = $2 AND l.part = 16 AND l.usn >= $3::int AND (l.usn, l.last_id) > ($4::int, $5::bigint)
            AND (l.usn, i.id) > ($4::int, $5::bigint)
            AND (SELECT r.usn FROM anki_cards r WHERE r.user_id = $1 AND r.generation = $2 AND r.id = i.id) = l.usn
            AND ($7::bigint = 0 OR (SELECT g.id FROM anki_staged_graves g WHERE g.user_id = $1 AND g.fence = $7 AND g.kind = 0 AND g.id = i.id) IS NULL)
          ORDER BY l.usn, l.last_id, i.id LIMIT $6)) AS p
  CROSS JOIN LATERAL (SELECT * FROM anki_cards r WHERE r.user_id = $1 AND r.generation = $2 AND r.id = p.id OFFSET 0) AS c
 ORDER BY p.at_usn, p.id LIMIT $6

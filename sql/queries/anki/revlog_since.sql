-- See cards_since.
SELECT v.id, v.card_id, v.usn, v.ease, v.interval, v.last_interval, v.factor, v.taken_ms, v.type, p.at_usn
  FROM ((SELECT f.id, 0 AS at_usn FROM anki_revlog f
          WHERE f.user_id = $1 AND f.generation = $2 AND f.id > CASE WHEN $4::int < 0 THEN (-9223372036854775808)::bigint ELSE $5::bigint END
            AND f.usn >= $3::int AND f.usn < (SELECT b.base_usn FROM anki_collections b WHERE b.user_id = $1)
            AND $4::int < 1 AND $3::int < (SELECT b.base_usn FROM anki_collections b WHERE b.user_id = $1)
          ORDER BY f.id LIMIT $6)
         UNION ALL
        (SELECT i.id, l.usn FROM anki_changed l, unnest(l.ids) AS i (id)
          WHERE l.user_id = $1 AND l.generation = $2 AND l.part = 8 AND l.usn >= $3::int AND (l.usn, l.last_id) > ($4::int, $5::bigint)
            AND (l.usn, i.id) > ($4::int, $5::bigint)
            AND (SELECT r.usn FROM anki_revlog r WHERE r.user_id = $1 AND r.generation = $2 AND r.id = i.id) = l.usn
          ORDER BY l.usn, l.last_id, i.id LIMIT $6)) AS p
  CROSS JOIN LATERAL (SELECT * FROM anki_revlog r WHERE r.user_id = $1 AND r.generation = $2 AND r.id = p.id OFFSET 0) AS v
 ORDER BY p.at_usn, p.id LIMIT $6

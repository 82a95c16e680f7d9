-- See cards_since. A page ends after $6 notes or, since notes can be large, once their texts reach $7 bytes; it has at
-- least one note. Omits the notes that the session with fence $8 has deleted. Texts of more than $9 bytes are NULL.
SELECT id, CASE WHEN bytes <= $9::bigint THEN guid END AS guid, notetype_id, mod, usn,
       CASE WHEN bytes <= $9::bigint THEN tags END AS tags, CASE WHEN bytes <= $9::bigint THEN fields END AS fields, at_usn
  FROM (SELECT id, guid, notetype_id, mod, usn, tags, fields, at_usn, bytes,
               sum(bytes) OVER (ORDER BY at_usn, id) - bytes AS bytes_before
          FROM (SELECT n.id, n.guid, n.notetype_id, n.mod, n.usn, n.tags, n.fields, p.at_usn,
                       octet_length(n.guid) + octet_length(n.tags) + octet_length(n.fields) AS bytes
                  FROM ((SELECT f.id, 0 AS at_usn FROM anki_notes f
                          WHERE f.user_id = $1 AND f.generation = $2 AND f.id > CASE WHEN $4::int < 0 THEN (-9223372036854775808)::bigint ELSE $5::bigint END
                            AND f.usn >= $3::int AND f.usn < (SELECT b.base_usn FROM anki_collections b WHERE b.user_id = $1)
                            AND $4::int < 1 AND $3::int < (SELECT b.base_usn FROM anki_collections b WHERE b.user_id = $1)
                            AND ($8::bigint = 0 OR (SELECT g.id FROM anki_staged_graves g WHERE g.user_id = $1 AND g.fence = $8 AND g.kind = 1 AND g.id = f.id) IS NULL)
                          ORDER BY f.id LIMIT $6)
                         UNION ALL
                        (SELECT i.id, l.usn FROM anki_changed l, unnest(l.ids) AS i (id)
                          WHERE l.user_id = $1 AND l.generation = $2 AND l.part = 32 AND l.usn >= $3::int AND (l.usn, l.last_id) > ($4::int, $5::bigint)
                            AND (l.usn, i.id) > ($4::int, $5::bigint)
                            AND (SELECT r.usn FROM anki_notes r WHERE r.user_id = $1 AND r.generation = $2 AND r.id = i.id) = l.usn
                            AND ($8::bigint = 0 OR (SELECT g.id FROM anki_staged_graves g WHERE g.user_id = $1 AND g.fence = $8 AND g.kind = 1 AND g.id = i.id) IS NULL)
                          ORDER BY l.usn, l.last_id, i.id LIMIT $6)) AS p
                  CROSS JOIN LATERAL (SELECT * FROM anki_notes r WHERE r.user_id = $1 AND r.generation = $2 AND r.id = p.id OFFSET 0) AS n
                 ORDER BY p.at_usn, p.id LIMIT $6) AS page) AS counted
 WHERE bytes_before < $7::bigint ORDER BY at_usn, id

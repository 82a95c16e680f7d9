-- As growth_of_notes, for card data of more than 200 bytes, which real clients hardly have: asked only if the session
-- or the collection has some.
SELECT coalesce(sum(
         CASE WHEN u.id IN (SELECT g.id FROM anki_staged_graves g WHERE g.user_id = $1 AND g.fence = $3 AND g.kind = 0) THEN u.bytes
              ELSE coalesce((SELECT CASE WHEN c.usn < $4 OR c.mod <= u.mod
                                         THEN u.bytes - CASE WHEN octet_length(c.data) > 200 THEN octet_length(c.data) ELSE 0 END
                                         ELSE 0 END
                               FROM anki_cards c WHERE c.user_id = $1 AND c.generation = $2 AND c.id = u.id), u.bytes)
         END), 0)::bigint AS bytes
  FROM (SELECT DISTINCT ON (t.id) t.id, t.mod, CASE WHEN octet_length(t.data) > 200 THEN octet_length(t.data) ELSE 0 END AS bytes
          FROM anki_staged_cards s, unnest(s.ids, s.mods, s.datas) WITH ORDINALITY AS t (id, mod, data, position)
         WHERE s.user_id = $1 AND s.fence = $3
         ORDER BY t.id, s.seq DESC, t.position DESC) AS u

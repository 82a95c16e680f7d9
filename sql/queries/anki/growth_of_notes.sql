-- By how many bytes the staged notes change the texts of the collection when they are applied, with the rules of
-- apply_notes. Those that the session deletes first are counted by growth_of_graves. Scalar subqueries: see new_ids.
SELECT coalesce(sum(
         CASE WHEN u.id IN (SELECT g.id FROM anki_staged_graves g WHERE g.user_id = $1 AND g.fence = $3 AND g.kind = 1) THEN u.bytes
              ELSE coalesce((SELECT CASE WHEN n.usn < $4 OR n.mod <= u.mod
                                         THEN u.bytes - octet_length(n.guid) - octet_length(n.tags) - octet_length(n.fields)
                                         ELSE 0 END
                               FROM anki_notes n WHERE n.user_id = $1 AND n.generation = $2 AND n.id = u.id), u.bytes)
         END), 0)::bigint AS bytes
  FROM (SELECT DISTINCT ON (t.id) t.id, t.mod, octet_length(t.guid) + octet_length(t.tags) + octet_length(t.fields) AS bytes
          FROM anki_staged_notes s, unnest(s.ids, s.mods, s.guids, s.tags, s.fields)
                 WITH ORDINALITY AS t (id, mod, guid, tags, fields, position)
         WHERE s.user_id = $1 AND s.fence = $3 ORDER BY t.id, s.seq DESC, t.position DESC) AS u

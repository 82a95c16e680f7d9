-- As growth_of_notes: the staged graves, and the texts of what they delete.
SELECT coalesce(sum(
         CASE WHEN (SELECT k.usn FROM anki_graves k WHERE k.user_id = $1 AND k.generation = $2 AND k.kind = g.kind AND k.id = g.id) IS NULL
              THEN 100 ELSE 0 END
         - coalesce(CASE g.kind
             WHEN 0 THEN CASE WHEN (SELECT h.has_long_data FROM anki_collections h WHERE h.user_id = $1) THEN
                           (SELECT CASE WHEN octet_length(c.data) > 200 THEN octet_length(c.data) END FROM anki_cards c
                             WHERE c.user_id = $1 AND c.generation = $2 AND c.id = g.id) END
             WHEN 1 THEN (SELECT octet_length(n.guid) + octet_length(n.tags) + octet_length(n.fields) FROM anki_notes n
                           WHERE n.user_id = $1 AND n.generation = $2 AND n.id = g.id)
             ELSE (SELECT octet_length(o.json) + octet_length(o.name) + 200 FROM anki_objects o
                    WHERE o.user_id = $1 AND o.generation = $2 AND o.kind = 1 AND o.id = g.id) END, 0)), 0)::bigint AS bytes
  FROM anki_staged_graves g WHERE g.user_id = $1 AND g.fence = $3

-- As growth_of_notes, for objects and tags.
SELECT ((SELECT coalesce(sum(octet_length(s.json) + octet_length(s.name) + 200
                - CASE WHEN s.kind = 1 AND s.id IN (SELECT g.id FROM anki_staged_graves g WHERE g.user_id = $1 AND g.fence = $3 AND g.kind = 2)
                       THEN 0
                       ELSE coalesce((SELECT octet_length(o.json) + octet_length(o.name) + 200 FROM anki_objects o
                                       WHERE o.user_id = $1 AND o.generation = $2 AND o.kind = s.kind AND o.id = s.id), 0) END), 0)
           FROM anki_staged_objects s WHERE s.user_id = $1 AND s.fence = $3)
      + (SELECT coalesce(sum(octet_length(t.name) + 100), 0) FROM anki_staged_tags t
          WHERE t.user_id = $1 AND t.fence = $3
            AND (SELECT k.usn FROM anki_tags k WHERE k.user_id = $1 AND k.generation = $2 AND k.name_key = t.name_key) IS NULL))::bigint AS bytes

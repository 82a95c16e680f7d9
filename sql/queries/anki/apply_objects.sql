-- What they replace is kept (anki_old_objects), unless the same sync has deleted it first.
WITH kept AS (
  INSERT INTO anki_old_objects (user_id, generation, at_usn, kind, id, bytes, mod, usn, field_count, template_count, name, json)
  SELECT $1, $2, $4, s.kind, s.id, 100 + coalesce(octet_length(o.json), 0), o.mod, o.usn, o.field_count, o.template_count, o.name, o.json
    FROM anki_staged_objects s
    LEFT JOIN LATERAL (SELECT * FROM anki_objects r WHERE r.user_id = $1 AND r.generation = $2 AND r.kind = s.kind AND r.id = s.id OFFSET 0) AS o ON true
   WHERE s.user_id = $1 AND s.fence = $3
  ON CONFLICT (user_id, generation, at_usn, kind, id) DO NOTHING
)
INSERT INTO anki_objects AS o (user_id, generation, kind, id, mod, usn, name_usn, field_count, template_count, name, name_key, json)
SELECT $1, $2, s.kind, s.id, s.mod, $4, $4, s.field_count, s.template_count, s.name, s.name_key, s.json
  FROM anki_staged_objects s WHERE s.user_id = $1 AND s.fence = $3
ON CONFLICT (user_id, generation, kind, id) DO UPDATE SET mod = excluded.mod, usn = excluded.usn,
    name_usn = CASE WHEN o.name_key = excluded.name_key THEN o.name_usn ELSE excluded.name_usn END,
    field_count = excluded.field_count, template_count = excluded.template_count, name = excluded.name,
    name_key = excluded.name_key, json = excluded.json

INSERT INTO anki_objects AS o (user_id, generation, kind, id, mod, usn, name_usn, field_count, template_count, name, name_key, json)
SELECT $1, $2, s.kind, s.id, s.mod, $4, $4, s.field_count, s.template_count, s.name, s.name_key, s.json
  FROM anki_staged_objects s WHERE s.user_id = $1 AND s.fence = $3
ON CONFLICT (user_id, generation, kind, id) DO UPDATE SET mod = excluded.mod, usn = excluded.usn,
    name_usn = CASE WHEN o.name_key = excluded.name_key THEN o.name_usn ELSE excluded.name_usn END,
    field_count = excluded.field_count, template_count = excluded.template_count, name = excluded.name,
    name_key = excluded.name_key, json = excluded.json

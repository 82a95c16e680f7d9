SELECT kind, id, mod, usn, field_count, template_count, name, json
  FROM anki_objects WHERE user_id = $1 AND generation = $2 AND usn >= $3 ORDER BY kind, id

-- The oldest of what syncs from usn $3 on have replaced or added (json is null), of each object.
SELECT DISTINCT ON (kind, id) kind, id, mod, usn, field_count, template_count, name, json
  FROM anki_old_objects WHERE user_id = $1 AND generation = $2 AND at_usn >= $3 ORDER BY kind, id, at_usn

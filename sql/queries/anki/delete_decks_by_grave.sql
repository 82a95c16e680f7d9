-- What is deleted is kept (anki_old_objects). $4: the sync's usn.
WITH deleted AS (
  DELETE FROM anki_objects o USING anki_staged_graves g
   WHERE g.user_id = $1 AND g.fence = $3 AND g.kind = 2 AND o.user_id = $1 AND o.generation = $2 AND o.kind = 1 AND o.id = g.id
  RETURNING o.*
)
INSERT INTO anki_old_objects (user_id, generation, at_usn, kind, id, bytes, mod, usn, field_count, template_count, name, json)
SELECT $1, $2, $4, d.kind, d.id, 100 + octet_length(d.json), d.mod, d.usn, d.field_count, d.template_count, d.name, d.json
  FROM deleted d

-- The names of new tags are kept (anki_old_tags).
WITH added AS (
  INSERT INTO anki_tags (user_id, generation, name_key, name, usn)
  SELECT $1, $2, s.name_key, s.name, $4 FROM anki_staged_tags s WHERE s.user_id = $1 AND s.fence = $3
  ON CONFLICT (user_id, generation, name_key) DO NOTHING
  RETURNING name
)
INSERT INTO anki_old_tags (user_id, generation, at_usn, bytes, absent)
SELECT $1, $2, $4, sum(octet_length(a.name) + 30), array_agg(a.name) FROM added a HAVING count(*) > 0

-- A grave is stored even if its object never existed. An existing grave gets the new usn; otherwise a device that has
-- seen the older deletion would never receive this one.
INSERT INTO anki_graves (user_id, generation, kind, id, usn)
SELECT $1, $2, g.kind, g.id, $4 FROM anki_staged_graves g WHERE g.user_id = $1 AND g.fence = $3
ON CONFLICT (user_id, generation, kind, id) DO UPDATE SET usn = excluded.usn

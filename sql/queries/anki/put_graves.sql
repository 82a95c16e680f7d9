-- Graves of an uploaded file. Clients remove theirs before they upload.
INSERT INTO anki_graves (user_id, generation, kind, id, usn)
SELECT $1, $2, g.kind, g.id, g.usn FROM unnest($3::smallint[], $4::bigint[], $5::int[]) AS g (kind, id, usn)
ON CONFLICT (user_id, generation, kind, id) DO UPDATE SET usn = greatest(anki_graves.usn, excluded.usn)

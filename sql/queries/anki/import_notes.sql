-- See import_cards.
INSERT INTO anki_notes (user_id, generation, id, guid, notetype_id, mod, usn, tags, fields)
SELECT $1, $2, u.id, u.guid, u.notetype_id, u.mod, u.usn, u.tags, u.fields
  FROM unnest($3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::int[], $8::text[], $9::text[])
    AS u (id, guid, notetype_id, mod, usn, tags, fields)
 WHERE coalesce((SELECT g.usn FROM anki_graves g WHERE g.user_id = $1 AND g.generation = $2 AND g.kind = 1 AND g.id = u.id)
                < (SELECT c.base_usn FROM anki_collections c WHERE c.user_id = $1), true)
ON CONFLICT (user_id, generation, id) DO NOTHING

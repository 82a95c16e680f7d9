-- Stores all notetypes, decks and deck configs of a file that becomes the collection.
INSERT INTO anki_objects (user_id, generation, kind, id, mod, usn, name_usn, field_count, template_count, name, name_key, json)
SELECT $1, $2, o.kind, o.id, o.mod, o.usn, o.usn, o.field_count, o.template_count, o.name, o.name_key, o.json
  FROM unnest($3::smallint[], $4::bigint[], $5::bigint[], $6::int[], $7::int[], $8::int[], $9::text[], $10::text[], $11::text[])
    AS o (kind, id, mod, usn, field_count, template_count, name, name_key, json)

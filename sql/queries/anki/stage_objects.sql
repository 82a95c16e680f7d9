INSERT INTO anki_staged_objects (user_id, fence, kind, id, mod, field_count, template_count, name, name_key, json)
SELECT $1, $2, o.kind, o.id, o.mod, o.field_count, o.template_count, o.name, o.name_key, o.json
  FROM unnest($3::smallint[], $4::bigint[], $5::bigint[], $6::int[], $7::int[], $8::text[], $9::text[], $10::text[])
    AS o (kind, id, mod, field_count, template_count, name, name_key, json)
ON CONFLICT (user_id, fence, kind, id) DO UPDATE SET mod = excluded.mod, field_count = excluded.field_count,
    template_count = excluded.template_count, name = excluded.name, name_key = excluded.name_key, json = excluded.json

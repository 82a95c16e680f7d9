INSERT INTO anki_tags (user_id, generation, name_key, name, usn)
SELECT $1, $2, t.name_key, t.name, t.usn FROM unnest($3::text[], $4::text[], $5::int[]) AS t (name_key, name, usn)
ON CONFLICT (user_id, generation, name_key) DO NOTHING

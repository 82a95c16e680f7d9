INSERT INTO anki_staged_tags (user_id, fence, name_key, name)
SELECT $1, $2, t.name_key, t.name FROM unnest($3::text[], $4::text[]) AS t (name_key, name)
ON CONFLICT DO NOTHING

INSERT INTO anki_staged_graves (user_id, fence, kind, id)
SELECT DISTINCT $1::bigint, $2::bigint, $3::smallint, g.id FROM unnest($4::bigint[]) AS g (id)
ON CONFLICT DO NOTHING

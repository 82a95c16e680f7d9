-- As add_subjects. $1 keys  $2 names  $3 search texts  $4 keys of those that are online
INSERT INTO schedule_rooms (name_key, name, search_text, is_online)
SELECT key, name, search, key = ANY ($4::text[]) FROM unnest($1::text[], $2::text[], $3::text[]) AS n(key, name, search)
ORDER BY key
ON CONFLICT DO NOTHING

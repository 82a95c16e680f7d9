-- By ascending key, so that two transactions that add the same ones cannot deadlock.
-- $1 keys  $2 names  $3 search texts
INSERT INTO schedule_subjects (name_key, name, search_text)
SELECT key, name, search FROM unnest($1::text[], $2::text[], $3::text[]) AS n(key, name, search) ORDER BY key
ON CONFLICT DO NOTHING

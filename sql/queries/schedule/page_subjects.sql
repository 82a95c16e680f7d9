-- plan: free
-- A page, and the number of all.
-- $1 patterns for search_text  $2 order: name, -name, created_at, -created_at  $3 limit  $4 offset
-- $5 the longest pattern, because an index serves one
SELECT subject_id, name, count(*) OVER () AS subjects
FROM schedule_subjects
WHERE search_text LIKE $5::text AND search_text LIKE ALL ($1::text[])
ORDER BY CASE WHEN $2::text = 'name' THEN name END, CASE WHEN $2 = '-name' THEN name END DESC,
         CASE WHEN $2 = 'created_at' THEN created_at END, CASE WHEN $2 = '-created_at' THEN created_at END DESC, subject_id
LIMIT $3 OFFSET $4

-- plan: free
-- $1 patterns for search_text  $2 order: full_name, -full_name, created_at, -created_at
-- $3 the longest pattern, because an index serves one
SELECT teacher_id, full_name, upstream_id, profile_url
FROM schedule_teachers
WHERE search_text LIKE $3::text AND search_text LIKE ALL ($1::text[])
ORDER BY CASE WHEN $2::text = 'full_name' THEN full_name END, CASE WHEN $2 = '-full_name' THEN full_name END DESC,
         CASE WHEN $2 = 'created_at' THEN created_at END, CASE WHEN $2 = '-created_at' THEN created_at END DESC, teacher_id

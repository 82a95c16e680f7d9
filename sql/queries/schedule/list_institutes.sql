-- plan: free
-- All that the site lists, some ten. $1 order: name, -name, created_at, -created_at
SELECT institute_id, name, upstream_id, created_at, updated_at
FROM schedule_institutes
WHERE is_active
ORDER BY CASE WHEN $1::text = 'name' THEN name END, CASE WHEN $1 = '-name' THEN name END DESC,
         CASE WHEN $1 = 'created_at' THEN created_at END, CASE WHEN $1 = '-created_at' THEN created_at END DESC, institute_id

-- plan: free
-- The groups that the site lists.
-- $1 institute or null  $2 form  $3 degree  $4 course  $5 patterns for search_text
-- $6 order: name, -name, created_at, -created_at  $7 the longest pattern, because an index serves one
SELECT g.group_id, g.name, g.upstream_id, g.institute_id, i.name AS institute_name, g.education_form, g.degree_type,
       g.course_number
FROM schedule_groups g LEFT JOIN schedule_institutes i ON i.institute_id = g.institute_id
WHERE g.is_active
AND ($1::int IS NULL OR g.institute_id = $1)
AND ($2::text IS NULL OR g.education_form = $2)
AND ($3::text IS NULL OR g.degree_type = $3)
AND ($4::int IS NULL OR g.course_number = $4)
AND g.search_text LIKE $7::text AND g.search_text LIKE ALL ($5::text[])
ORDER BY CASE WHEN $6::text = 'name' THEN g.name END, CASE WHEN $6 = '-name' THEN g.name END DESC,
         CASE WHEN $6 = 'created_at' THEN g.created_at END, CASE WHEN $6 = '-created_at' THEN g.created_at END DESC, g.group_id

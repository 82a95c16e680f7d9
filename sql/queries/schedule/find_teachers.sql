-- $1 numbers of the site  $2 keys of names
SELECT teacher_id, upstream_id, full_name, name_key, next_name FROM schedule_teachers WHERE upstream_id = ANY ($1::int[])
UNION
SELECT teacher_id, upstream_id, full_name, name_key, next_name FROM schedule_teachers WHERE name_key = ANY ($2::text[])
ORDER BY teacher_id

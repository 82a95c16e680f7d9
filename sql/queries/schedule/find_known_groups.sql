-- $1 keys of names  $2 numbers of the site
SELECT group_id, coalesce(institute_id, 0) AS institute_id, upstream_id, name, name_key, education_form, degree_type,
       course_number, is_active
FROM schedule_groups
WHERE group_id IN (SELECT group_id FROM schedule_groups WHERE name_key = ANY ($1::text[])
                   UNION SELECT group_id FROM schedule_groups WHERE upstream_id = ANY ($2::int[]))
ORDER BY group_id

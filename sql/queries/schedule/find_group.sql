SELECT g.group_id, g.name, g.upstream_id, g.institute_id, g.education_form, g.degree_type, g.course_number, g.is_active,
       g.created_at, g.updated_at, i.name AS institute_name, i.upstream_id AS institute_upstream_id,
       i.created_at AS institute_created_at, i.updated_at AS institute_updated_at
FROM schedule_groups g LEFT JOIN schedule_institutes i ON i.institute_id = g.institute_id
WHERE g.group_id = $1

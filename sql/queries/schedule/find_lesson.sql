-- One lesson that takes place, with what nests in it.
SELECT g.upstream_id AS group_upstream_id, g.institute_id, i.name AS institute_name, g.education_form, g.degree_type, g.course_number,
       t.teacher_id, t.full_name, t.upstream_id AS teacher_upstream_id, t.profile_url,
-- include: lesson_columns
FROM schedule_shown_lessons v
JOIN schedule_groups g ON g.group_id = v.group_id
LEFT JOIN schedule_institutes i ON i.institute_id = g.institute_id
LEFT JOIN schedule_lesson_teachers lt ON lt.lesson_id = v.lesson_id AND lt.position = 1
LEFT JOIN schedule_teachers t ON t.teacher_id = lt.teacher_id
WHERE v.lesson_id = $1 AND v.removed_at IS NULL

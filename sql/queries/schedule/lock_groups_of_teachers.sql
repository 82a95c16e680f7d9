-- By ascending id, like all statements that lock several groups. $1 teachers
SELECT g.group_id FROM schedule_groups g
WHERE g.group_id IN (SELECT l.group_id FROM schedule_lesson_teachers t JOIN schedule_lessons l ON l.lesson_id = t.lesson_id
                     WHERE t.teacher_id = ANY ($1::int[]))
ORDER BY g.group_id FOR NO KEY UPDATE OF g

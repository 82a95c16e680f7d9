-- $1 lessons
DELETE FROM schedule_lesson_teachers WHERE lesson_id = ANY ($1::bigint[])

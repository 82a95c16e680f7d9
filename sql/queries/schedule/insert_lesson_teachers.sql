-- $1 lessons  $2 positions  $3 teachers
INSERT INTO schedule_lesson_teachers (lesson_id, position, teacher_id)
SELECT lesson, position, teacher FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS n(lesson, position, teacher)

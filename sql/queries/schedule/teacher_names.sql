-- $1 teachers
SELECT teacher_id, full_name FROM schedule_teachers WHERE teacher_id = ANY ($1::int[])

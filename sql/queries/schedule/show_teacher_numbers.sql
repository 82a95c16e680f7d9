-- By ascending id, like all statements that write several teachers. $1 teachers
WITH shown AS MATERIALIZED (
  SELECT teacher_id FROM schedule_teachers WHERE teacher_id = ANY ($1::int[]) ORDER BY teacher_id FOR NO KEY UPDATE
)
UPDATE schedule_teachers SET has_new_number = false FROM shown s
WHERE schedule_teachers.teacher_id = s.teacher_id AND schedule_teachers.has_new_number

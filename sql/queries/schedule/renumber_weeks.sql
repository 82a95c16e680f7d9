-- $1 group $2 lessons $3 the source's week numbers
UPDATE schedule_lessons SET week_number = n.week
FROM unnest($2::bigint[], $3::bigint[]) AS n(id, week)
WHERE schedule_lessons.lesson_id = n.id AND schedule_lessons.group_id = $1

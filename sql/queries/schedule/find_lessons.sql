-- plan: free
-- $1 group or null  $2 subject  $3 teacher  $4 room  $5 institute  $6 first day  $7 last day  $8 weekday  $9 subgroup, beside
-- lessons of all  $10 types, none: all  $11 number  $12 patterns: each is found in the subject, the room or a teacher
-- $13 to $15 keys of the order, as of list_group_lessons
SELECT
-- include: lesson_columns
FROM schedule_shown_lessons v
WHERE v.removed_at IS NULL
AND ($1::int IS NULL OR v.group_id = $1)
AND ($2::int IS NULL OR v.subject_id = $2)
AND ($3::int IS NULL OR v.lesson_id IN (SELECT lesson_id FROM schedule_lesson_teachers WHERE teacher_id = $3))
AND ($4::int IS NULL OR v.room_id = $4)
AND ($5::int IS NULL OR v.institute_id = $5)
AND ($6::text IS NULL OR v.slot_date IS NULL OR v.slot_date >= $6::text::date)
AND ($7::text IS NULL OR v.slot_date IS NULL OR v.slot_date <= $7::text::date)
AND ($8::int IS NULL OR v.weekday = $8)
AND ($9::int IS NULL OR v.subgroup IN (0, $9))
AND (cardinality($10::text[]) = 0 OR v.lesson_type = ANY ($10))
AND ($11::int IS NULL OR v.lesson_number = $11)
AND NOT EXISTS (
  SELECT FROM unnest($12::text[]) AS p (pattern)
  WHERE v.subject_search NOT LIKE p.pattern AND v.room_search NOT LIKE p.pattern
  AND NOT EXISTS (SELECT FROM schedule_lesson_teachers lt JOIN schedule_teachers t ON t.teacher_id = lt.teacher_id
                  WHERE lt.lesson_id = v.lesson_id AND t.search_text LIKE p.pattern))
ORDER BY CASE abs($13::int) WHEN 1 THEN v.weekday WHEN 2 THEN v.lesson_number WHEN 3 THEN extract(epoch FROM v.start_time) END * sign($13),
         CASE abs($14::int) WHEN 1 THEN v.weekday WHEN 2 THEN v.lesson_number WHEN 3 THEN extract(epoch FROM v.start_time) END * sign($14),
         CASE abs($15::int) WHEN 1 THEN v.weekday WHEN 2 THEN v.lesson_number WHEN 3 THEN extract(epoch FROM v.start_time) END * sign($15),
         v.slot_date NULLS LAST, v.start_time, v.subgroup, v.lesson_id

-- The lessons of one group, with the other data of its answer: one row without a lesson if there are none. No
-- row: there is no such group.
-- $1 group  $2 first day or null  $3 last day  $4 weekday  $5 subgroup, beside lessons of all  $6 types, none: all
-- $7 number  $8 to $10 keys of the order: 1 weekday, 2 number, 3 begin; negative: the other way; 0: none
SELECT g.revision, g.changed_at, st.last_ok_at,
-- include: lesson_columns
FROM schedule_groups g
LEFT JOIN schedule_group_states st ON st.group_id = g.group_id
LEFT JOIN schedule_shown_lessons v ON v.group_id = g.group_id AND v.removed_at IS NULL
  AND ($2::text IS NULL OR v.slot_date IS NULL OR v.slot_date >= $2::text::date)
  AND ($3::text IS NULL OR v.slot_date IS NULL OR v.slot_date <= $3::text::date)
  AND ($4::int IS NULL OR v.weekday = $4)
  AND ($5::int IS NULL OR v.subgroup IN (0, $5))
  AND (cardinality($6::text[]) = 0 OR v.lesson_type = ANY ($6))
  AND ($7::int IS NULL OR v.lesson_number = $7)
WHERE g.group_id = $1
ORDER BY CASE abs($8::int) WHEN 1 THEN v.weekday WHEN 2 THEN v.lesson_number WHEN 3 THEN extract(epoch FROM v.start_time) END * sign($8),
         CASE abs($9::int) WHEN 1 THEN v.weekday WHEN 2 THEN v.lesson_number WHEN 3 THEN extract(epoch FROM v.start_time) END * sign($9),
         CASE abs($10::int) WHEN 1 THEN v.weekday WHEN 2 THEN v.lesson_number WHEN 3 THEN extract(epoch FROM v.start_time) END * sign($10),
         v.slot_date NULLS LAST, v.start_time, v.subgroup, v.lesson_id

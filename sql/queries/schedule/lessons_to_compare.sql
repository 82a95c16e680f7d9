-- The rows of a group that a source may cover, removed ones too: undated ones, those of the days from $2 to
-- $3, and exams since $2 whose hour is unknown. $1 group $2, $3 days or null: none
SELECT l.lesson_id, l.slot_date::text AS slot_date, (l.slot_date - date '1970-01-01') AS slot_day, l.weekday, l.lesson_number,
       l.subject_id, s.name AS subject_name, l.lesson_type, l.subgroup, l.ordinal, l.room_id,
       coalesce((SELECT r.name FROM schedule_rooms r WHERE r.room_id = l.room_id), '') AS room_name,
       (extract(epoch FROM l.start_time) / 60)::int AS start_minute, (extract(epoch FROM l.end_time) / 60)::int AS end_minute,
       l.week_number, l.additional_text, l.removed_at IS NOT NULL AS is_removed,
       ARRAY(SELECT t.teacher_id::bigint FROM schedule_lesson_teachers t WHERE t.lesson_id = l.lesson_id ORDER BY t.position)
         AS teacher_ids
FROM schedule_lessons l JOIN schedule_subjects s ON s.subject_id = l.subject_id
WHERE l.group_id = $1 AND (l.slot_date IS NULL OR l.slot_date BETWEEN $2::text::date AND $3::text::date
                            OR l.lesson_number = 0 AND l.slot_date >= $2::text::date)
ORDER BY l.lesson_id

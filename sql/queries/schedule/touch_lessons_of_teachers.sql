-- Calendars show another name now: in a term, and cancelled lessons of a month. $1 teachers  $2 today
UPDATE schedule_lessons SET sequence = sequence + 1, modified_at = greatest(clock_timestamp(), modified_at)
WHERE (removed_at IS NULL OR removed_at > clock_timestamp() - interval '32 days')
  AND (slot_date IS NULL OR slot_date > $2::text::date - 366)
  AND lesson_id IN (SELECT t.lesson_id FROM schedule_lesson_teachers t WHERE t.teacher_id = ANY ($1::int[]))

-- plan: free
-- Physical rooms that had a lesson since $1 and have none at the requested time: lessons of that number, and
-- those whose time overlaps it. Lessons without a date count on their weekday.
-- $1 first day of the term  $2 day  $3 number  $4 begin  $5 end
SELECT r.room_id, r.name, r.is_online
FROM schedule_rooms r
WHERE NOT r.is_online
AND EXISTS (SELECT FROM schedule_lessons l WHERE l.room_id = r.room_id AND (l.slot_date >= $1::text::date OR l.slot_date IS NULL))
AND NOT EXISTS (
  SELECT FROM schedule_lessons l
  WHERE l.room_id = r.room_id AND l.removed_at IS NULL
  AND (l.slot_date = $2::text::date OR (l.slot_date IS NULL AND l.weekday = extract(isodow FROM $2::text::date)))
  AND (l.lesson_number = $3 OR (l.start_time < $5::text::time AND l.end_time > $4::text::time)))
ORDER BY r.name, r.room_id

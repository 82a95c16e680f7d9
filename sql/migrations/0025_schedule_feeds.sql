-- Reading the timetable: lessons as every answer shows them, and feeds whose address can be shown again.

-- Each teacher is one text: the id, the number of the site (0: none), the name; in the order of the site.
CREATE VIEW schedule_shown_lessons AS
SELECT l.lesson_id, l.group_id, g.name AS group_name, g.institute_id, l.subject_id, s.name AS subject_name,
       s.search_text AS subject_search, l.lesson_type, l.room_id, coalesce(r.name, '') AS room,
       coalesce(r.search_text, '') AS room_search, coalesce(r.is_online, false) AS is_online, l.slot_date, l.weekday,
       l.lesson_number, l.start_time, l.end_time, l.week_number, l.subgroup, l.ordinal, l.additional_text, l.uid, l.sequence,
       l.created_at, l.modified_at, l.removed_at,
       ARRAY(SELECT t.teacher_id || ' ' || coalesce(t.upstream_id, 0) || ' ' || t.full_name
             FROM schedule_lesson_teachers lt JOIN schedule_teachers t ON t.teacher_id = lt.teacher_id
             WHERE lt.lesson_id = l.lesson_id ORDER BY lt.position) AS teachers
FROM schedule_lessons l
JOIN schedule_groups g ON g.group_id = l.group_id
JOIN schedule_subjects s ON s.subject_id = l.subject_id
LEFT JOIN schedule_rooms r ON r.room_id = l.room_id;

-- The address of a feed, sealed, so that its owner can have it shown again on another device.
ALTER TABLE schedule_feeds ADD COLUMN sealed_token bytea;
-- When its name or its subgroup was last changed.
ALTER TABLE schedule_feeds ADD COLUMN changed_at timestamptz NOT NULL DEFAULT now();

-- $1 group  $2 JSON, an array of rows. The uid tells the caller which row became which.
INSERT INTO schedule_lessons (group_id, slot_date, weekday, lesson_number, subject_id, lesson_type, subgroup, ordinal, room_id,
                              start_time, end_time, week_number, type_text, additional_text, uid)
SELECT $1, r.slot_date, r.weekday, r.lesson_number, r.subject_id, r.lesson_type, r.subgroup, r.ordinal, r.room_id,
       time '00:00' + r.start_minute * interval '1 minute', time '00:00' + r.end_minute * interval '1 minute',
       r.week_number, r.type_text, r.additional_text, r.uid
FROM json_to_recordset($2::text::json) AS r(slot_date date, weekday int, lesson_number int, subject_id int, lesson_type text,
     subgroup int, ordinal int, room_id int, start_minute int, end_minute int, week_number int, type_text text,
     additional_text text, uid uuid)
RETURNING lesson_id, uid::text AS uid

-- Changed lessons, and removed ones that have returned. $1 group $2 JSON, an array of rows
UPDATE schedule_lessons SET room_id = r.room_id, start_time = time '00:00' + r.start_minute * interval '1 minute',
       end_time = time '00:00' + r.end_minute * interval '1 minute', week_number = coalesce(r.week_number, schedule_lessons.week_number), type_text = r.type_text,
       additional_text = r.additional_text, removed_at = NULL, sequence = sequence + 1,
       modified_at = greatest(clock_timestamp(), modified_at)
FROM json_to_recordset($2::text::json) AS r(lesson_id bigint, room_id int, start_minute int, end_minute int, week_number int,
     type_text text, additional_text text)
WHERE schedule_lessons.lesson_id = r.lesson_id AND schedule_lessons.group_id = $1

-- $1 group  $2 run or null  $3 whether the group had never been read  $4 JSON, an array of rows
INSERT INTO schedule_changes (group_id, run_id, is_first, lesson_id, kind, slot_date, before, after)
SELECT $1, $2, $3, r.lesson_id, r.kind, r.slot_date, r.before, r.after
FROM json_to_recordset($4::text::json) AS r(lesson_id bigint, kind text, slot_date date, before text, after text)

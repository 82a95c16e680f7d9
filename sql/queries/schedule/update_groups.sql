-- Groups whose listing has changed. Unknown values are kept. $1 JSON, an array of rows
UPDATE schedule_groups SET institute_id = r.institute_id, upstream_id = coalesce(r.upstream_id, schedule_groups.upstream_id),
       name = r.name, name_key = r.name_key, search_text = r.search_text,
       education_form = coalesce(r.education_form, schedule_groups.education_form),
       degree_type = coalesce(r.degree_type, schedule_groups.degree_type),
       course_number = coalesce(r.course_number, schedule_groups.course_number),
       parallel_number = coalesce(r.parallel_number, schedule_groups.parallel_number),
       is_active = true, missing_count = 0, last_seen_at = clock_timestamp(), updated_at = clock_timestamp()
FROM json_to_recordset($1::text::json) AS r(group_id int, institute_id int, upstream_id int, name text, name_key text,
     search_text text, education_form text, degree_type text, course_number int, parallel_number int)
WHERE schedule_groups.group_id = r.group_id

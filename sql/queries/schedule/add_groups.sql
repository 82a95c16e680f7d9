-- $1 JSON, an array of rows; the answer is in their order.
INSERT INTO schedule_groups (institute_id, upstream_id, name, name_key, search_text, education_form, degree_type, course_number,
                             parallel_number)
SELECT (v.r ->> 'institute_id')::int, (v.r ->> 'upstream_id')::int, v.r ->> 'name', v.r ->> 'name_key', v.r ->> 'search_text',
       v.r ->> 'education_form', v.r ->> 'degree_type', (v.r ->> 'course_number')::int, (v.r ->> 'parallel_number')::int
FROM json_array_elements($1::text::json) WITH ORDINALITY AS v(r, place) ORDER BY v.place
RETURNING group_id

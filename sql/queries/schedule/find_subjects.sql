-- $1 keys
SELECT subject_id, name, name_key FROM schedule_subjects WHERE name_key = ANY ($1::text[])

-- Skips teachers for whom a page has recorded another name meanwhile. $1 teachers, locked $2 names $3 keys $4
-- search texts
UPDATE schedule_teachers SET full_name = n.name, name_key = n.key, search_text = n.search, renamed_at = clock_timestamp(),
       next_name = NULL
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) AS n(id, name, key, search)
WHERE schedule_teachers.teacher_id = n.id AND schedule_teachers.next_name = n.name
RETURNING teacher_id

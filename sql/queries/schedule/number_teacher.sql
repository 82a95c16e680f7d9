-- A teacher who was listed without a link before, and has one now. $1 teacher $2 number of the site $3 URL or
-- null
UPDATE schedule_teachers SET upstream_id = $2, has_new_number = true, profile_url = coalesce($3::text, profile_url)
WHERE teacher_id = $1 AND upstream_id IS NULL

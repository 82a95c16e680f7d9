SELECT teacher_id, full_name, upstream_id, profile_url FROM schedule_teachers WHERE teacher_id = $1

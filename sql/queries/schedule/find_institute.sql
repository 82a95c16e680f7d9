SELECT institute_id, name, upstream_id, created_at, updated_at FROM schedule_institutes WHERE institute_id = $1

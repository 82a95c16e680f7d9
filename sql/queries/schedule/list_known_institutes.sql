SELECT institute_id, upstream_id, name, name_key, is_active FROM schedule_institutes ORDER BY institute_id

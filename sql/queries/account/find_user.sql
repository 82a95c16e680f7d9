SELECT user_id, name, is_admin, is_disabled, quota_bytes FROM users WHERE lower(name) = lower($1)

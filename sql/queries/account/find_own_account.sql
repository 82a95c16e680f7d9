SELECT name, email, is_admin, is_disabled, quota_bytes, created_at, deletes_at FROM users WHERE user_id = $1

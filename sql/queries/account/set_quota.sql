UPDATE users SET quota_bytes = $2 WHERE user_id = $1

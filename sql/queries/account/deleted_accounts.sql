SELECT user_id FROM users WHERE deletes_at < now() ORDER BY deletes_at LIMIT $1

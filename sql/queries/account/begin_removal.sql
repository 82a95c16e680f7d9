UPDATE users SET is_disabled = true WHERE user_id = $1 AND deletes_at < now()

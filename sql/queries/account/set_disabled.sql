UPDATE users SET is_disabled = $2 WHERE user_id = $1

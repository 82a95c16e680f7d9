SELECT user_id FROM users WHERE user_id > $1 ORDER BY user_id LIMIT $2

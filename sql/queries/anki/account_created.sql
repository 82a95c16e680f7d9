-- The schema time of an account without data must not move: it is the account's own age.
SELECT (extract(epoch FROM created_at) * 1000)::bigint AS created_ms FROM users WHERE user_id = $1

SELECT user_id FROM anki_sessions WHERE expires_at < now() ORDER BY expires_at LIMIT $1

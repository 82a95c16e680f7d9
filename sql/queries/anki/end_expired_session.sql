DELETE FROM anki_sessions WHERE user_id = $1 AND expires_at < now() RETURNING staged, staged_bytes, hourly_staged_bytes

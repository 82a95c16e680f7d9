UPDATE anki_sessions SET counts = $2, expires_at = now() + make_interval(mins => $3) WHERE user_id = $1

UPDATE anki_sessions SET counts = $2 WHERE user_id = $1

UPDATE anki_sessions SET to_send = $2, sent_at_usn = $3, sent_id = $4 WHERE user_id = $1

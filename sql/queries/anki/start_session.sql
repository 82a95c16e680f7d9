INSERT INTO anki_sessions (user_id, session_key, generation, server_usn, client_usn, client_is_newer, unbury_day, to_send, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now() + make_interval(mins => $9))
RETURNING fence

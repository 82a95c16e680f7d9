-- What is left to send, without a lock. Returns no row if less than half of the session's lifetime is left.
SELECT to_send FROM anki_sessions
 WHERE user_id = $1 AND session_key = $2 AND expires_at > now() + make_interval(mins => $3) / 2

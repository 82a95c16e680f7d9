-- A session that need not be prolonged yet, without locking it: has its client anything to fetch?
SELECT to_send FROM anki_sessions
 WHERE user_id = $1 AND session_key = $2 AND expires_at > now() + make_interval(mins => $3) / 2

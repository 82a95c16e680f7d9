-- The caller has applied this session and holds its lock.
DELETE FROM anki_sessions WHERE user_id = $1

-- The session that has just been applied, and is locked.
DELETE FROM anki_sessions WHERE user_id = $1

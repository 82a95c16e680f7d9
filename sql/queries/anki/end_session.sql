-- Whatever session the user has. The bits of staged say what is left behind.
DELETE FROM anki_sessions WHERE user_id = $1 RETURNING staged

-- The session of the user, or none if it is not $2 (null: whichever). The bits of staged say what is left behind.
DELETE FROM anki_sessions WHERE user_id = $1 AND ($2::text IS NULL OR session_key = $2) RETURNING staged

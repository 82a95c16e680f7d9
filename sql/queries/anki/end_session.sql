-- Deletes the user's session, if its key is $2 (NULL: any key). Returns which kinds of rows it has staged.
DELETE FROM anki_sessions WHERE user_id = $1 AND ($2::text IS NULL OR session_key = $2) RETURNING staged, staged_bytes, hourly_staged_bytes

-- The key of the account's live session, whoever has it.
SELECT session_key FROM anki_sessions WHERE user_id = $1 AND expires_at > now()

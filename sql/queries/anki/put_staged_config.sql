-- The config that the user's session has staged. It may be large, so it does not leave the database.
INSERT INTO anki_config (user_id, generation, config)
SELECT s.user_id, $2, s.config FROM anki_sessions s WHERE s.user_id = $1 AND s.config IS NOT NULL
ON CONFLICT (user_id, generation) DO UPDATE SET config = excluded.config WHERE anki_config.config <> excluded.config

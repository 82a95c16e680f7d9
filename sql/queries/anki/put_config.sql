INSERT INTO anki_config (user_id, generation, config) VALUES ($1, $2, $3)
ON CONFLICT (user_id, generation) DO UPDATE SET config = excluded.config WHERE anki_config.config <> excluded.config

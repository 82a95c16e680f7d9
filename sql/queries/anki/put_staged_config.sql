-- The config that the user's session has staged. It may be large, so it does not leave the database. $3: the sync's usn.
WITH kept AS (
  INSERT INTO anki_old_configs (user_id, generation, at_usn, bytes, config)
  SELECT f.user_id, f.generation, $3, octet_length(f.config), f.config
    FROM anki_config f JOIN anki_sessions s ON s.user_id = f.user_id AND s.config <> f.config
   WHERE f.user_id = $1 AND f.generation = $2 AND s.user_id = $1
)
INSERT INTO anki_config (user_id, generation, config)
SELECT s.user_id, $2, s.config FROM anki_sessions s WHERE s.user_id = $1 AND s.config IS NOT NULL
ON CONFLICT (user_id, generation) DO UPDATE SET config = excluded.config WHERE anki_config.config <> excluded.config

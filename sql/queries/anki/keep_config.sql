-- For a sync that changes the config without a staged one. $3: its usn.
INSERT INTO anki_old_configs (user_id, generation, at_usn, bytes, config)
SELECT user_id, generation, $3, octet_length(config), config FROM anki_config WHERE user_id = $1 AND generation = $2

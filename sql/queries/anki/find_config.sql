SELECT config FROM anki_config WHERE user_id = $1 AND generation = $2

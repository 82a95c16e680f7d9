SELECT auto_rules FROM anime_settings WHERE user_id = $1

-- $1 account  $2 automatic rules
INSERT INTO anime_settings (user_id, auto_rules) VALUES ($1, $2)
ON CONFLICT (user_id) DO UPDATE SET auto_rules = excluded.auto_rules

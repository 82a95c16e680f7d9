SELECT user_id FROM anki_collections WHERE user_id > $1 ORDER BY user_id LIMIT $2

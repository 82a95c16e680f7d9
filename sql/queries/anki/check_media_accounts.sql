SELECT user_id FROM anki_media WHERE user_id > $1 ORDER BY user_id LIMIT $2

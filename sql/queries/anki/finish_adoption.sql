UPDATE anki_adoptions SET finished_at = now() WHERE user_id = $1

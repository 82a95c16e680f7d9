DELETE FROM anki_staged_graves WHERE user_id = $1

DELETE FROM anki_staged_objects WHERE user_id = $1

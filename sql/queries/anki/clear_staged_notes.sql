DELETE FROM anki_staged_notes WHERE user_id = $1

DELETE FROM anki_staged_tags WHERE user_id = $1

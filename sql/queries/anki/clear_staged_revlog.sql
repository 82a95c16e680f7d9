DELETE FROM anki_staged_revlog WHERE user_id = $1

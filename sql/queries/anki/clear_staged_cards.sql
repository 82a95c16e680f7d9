DELETE FROM anki_staged_cards WHERE user_id = $1

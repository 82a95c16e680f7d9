DELETE FROM decks_media WHERE deck_id = $1

DELETE FROM decks_uploads WHERE deck_id = $1

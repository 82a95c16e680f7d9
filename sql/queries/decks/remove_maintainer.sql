DELETE FROM decks_maintainers WHERE deck_id = $1 AND user_id = $2

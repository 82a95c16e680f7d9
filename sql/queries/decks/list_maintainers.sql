SELECT user_id FROM decks_maintainers WHERE deck_id = $1 ORDER BY user_id

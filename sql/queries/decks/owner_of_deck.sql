-- Also of a deleted one. No row: the deck is gone.
SELECT user_id FROM decks WHERE deck_id = $1 FOR NO KEY UPDATE

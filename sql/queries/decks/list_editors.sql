-- The owner and the maintainers. $1 deck
SELECT user_id FROM decks WHERE deck_id = $1 UNION SELECT user_id FROM decks_maintainers WHERE deck_id = $1

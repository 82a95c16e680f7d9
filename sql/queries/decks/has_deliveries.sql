-- $1 deck
SELECT EXISTS (SELECT FROM decks_deliveries WHERE deck_id = $1) AS has

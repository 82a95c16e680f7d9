-- $1 deck  $2 account
SELECT state FROM decks_deliveries WHERE deck_id = $1 AND user_id = $2 FOR UPDATE

-- $1 deck  $2 account  $3 why it does not go on
UPDATE decks_deliveries SET problem = $3 WHERE deck_id = $1 AND user_id = $2

-- The other deliveries of an account begin with their whole decks, because notes that they share with this one are free. $1 deck  $2 account
UPDATE decks_deliveries SET seq = 0 WHERE user_id = $2 AND deck_id <> $1 AND state = 'on' RETURNING deck_id

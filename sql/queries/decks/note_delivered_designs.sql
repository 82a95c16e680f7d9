-- $1 deck  $2 account  $3 hash
UPDATE decks_deliveries SET design_hash = $3 WHERE deck_id = $1 AND user_id = $2

-- Notes that the subscriber has deleted come again. $1 deck  $2 account
UPDATE decks_deliveries SET seq = 0, restores = true WHERE deck_id = $1 AND user_id = $2

-- One that has ended. $1 deck  $2 account
DELETE FROM decks_deliveries WHERE deck_id = $1 AND user_id = $2 AND state <> 'on'

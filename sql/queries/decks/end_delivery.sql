-- $1 deck  $2 account  $3 keeping, removing
UPDATE decks_deliveries SET state = $3, problem = '' WHERE deck_id = $1 AND user_id = $2 AND (state = 'on' OR state = 'keeping')

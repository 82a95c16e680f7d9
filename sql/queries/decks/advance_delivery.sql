-- Nothing if another worker has done it. $1 deck  $2 account  $3 log before  $4 log now  $5 homes, or null
UPDATE decks_deliveries SET seq = $4, homes = coalesce($5::text, homes), problem = '' WHERE deck_id = $1 AND user_id = $2 AND state = 'on' AND seq = $3

-- Where the log was at the first page of a full sync. $1 deck  $2 account  $3 computer
SELECT offered_seq AS seq FROM decks_positions WHERE deck_id = $1 AND user_id = $2 AND device_id = $3

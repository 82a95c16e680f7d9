-- $1 deck  $2 the account before them  $3 how many
SELECT user_id FROM decks_deliveries WHERE deck_id = $1 AND user_id > $2 ORDER BY user_id LIMIT $3

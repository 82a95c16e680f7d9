-- $1 deck  $2 account  $3 the guid before them  $4 how many
SELECT guid FROM decks_delivered_notes WHERE deck_id = $1 AND user_id = $2 AND guid > $3 ORDER BY guid LIMIT $4

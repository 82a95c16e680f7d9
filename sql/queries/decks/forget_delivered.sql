-- $1 deck  $2 account  $3 guids
DELETE FROM decks_delivered_notes WHERE deck_id = $1 AND user_id = $2 AND guid = ANY ($3::text[])

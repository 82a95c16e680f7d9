-- $1 deck  $2 account  $3 computer  $4 guids
SELECT guid, field, seq, suggestion_no FROM decks_conflicts
WHERE deck_id = $1 AND user_id = $2 AND device_id = $3 AND guid = ANY ($4::text[])

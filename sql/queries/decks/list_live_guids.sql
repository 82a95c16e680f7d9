-- $1 deck  $2 guids. Those of them that are there.
SELECT guid FROM decks_cards WHERE deck_id = $1 AND guid = ANY ($2::text[]) AND removed_seq IS NULL

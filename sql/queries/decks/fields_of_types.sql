-- The fields of the cards that are there, of some note types. $1 deck  $2 names of note types
SELECT note_type, fields FROM decks_cards WHERE deck_id = $1 AND removed_seq IS NULL AND note_type = ANY ($2::text[])

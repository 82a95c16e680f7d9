-- $1 deck  $2 account  $3 guids
SELECT guid, state, is_adopted, hash, fields, tags, older_tags, suspended_cards, suspended_mods
FROM decks_delivered_notes WHERE deck_id = $1 AND user_id = $2 AND guid = ANY ($3::text[])

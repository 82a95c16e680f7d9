-- $1 deck  $2 account  $3 guids
UPDATE decks_delivered_notes SET state = 'there', suspended_cards = '{}', suspended_mods = '{}' WHERE deck_id = $1 AND user_id = $2 AND guid = ANY ($3::text[])

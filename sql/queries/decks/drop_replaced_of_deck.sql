DELETE FROM decks_replaced_media WHERE deck_id = $1

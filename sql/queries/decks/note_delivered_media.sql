-- $1 deck  $2 account  $3 hash  $4 time of the newest file, or null
UPDATE decks_deliveries SET media_hash = $3, media_at = $4 WHERE deck_id = $1 AND user_id = $2

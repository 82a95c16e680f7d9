-- The id that clients know.
SELECT public_id::text FROM decks WHERE deck_id = $1

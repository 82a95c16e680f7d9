-- $1 deck  $2 sha256
DELETE FROM decks_uploads WHERE deck_id = $1 AND sha256 = $2 RETURNING blob_id, size_bytes

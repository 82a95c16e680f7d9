-- $1 deck  $2 sha256  $3 blob  $4 bytes. No row: it was received before.
INSERT INTO decks_uploads (deck_id, sha256, blob_id, size_bytes) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING blob_id

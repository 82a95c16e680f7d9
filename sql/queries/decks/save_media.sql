-- $1 deck  $2 name  $3 sha256  $4 blob  $5 bytes
INSERT INTO decks_media (deck_id, name, sha256, blob_id, size_bytes) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (deck_id, name) DO UPDATE SET sha256 = $3, blob_id = $4, size_bytes = $5, updated_at = now()

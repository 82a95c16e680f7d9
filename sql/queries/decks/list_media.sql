SELECT name, sha256, blob_id, size_bytes, updated_at FROM decks_media WHERE deck_id = $1 ORDER BY name

-- Received and never confirmed. $1 how many
SELECT u.deck_id, u.sha256, u.blob_id, d.user_id FROM decks_uploads u JOIN decks d ON d.deck_id = u.deck_id
WHERE u.received_at < now() - interval '1 day' LIMIT $1

-- The newest first. $1 deck  $2 after this version  $3 how many
SELECT version, notes, cards_added, cards_modified, cards_deleted, card_count, content_hash, last_seq, created_at
FROM decks_releases WHERE deck_id = $1 AND version > $2 ORDER BY version DESC LIMIT $3

SELECT version, notes, cards_added, cards_modified, cards_deleted, card_count, content_hash, last_seq, created_at
FROM decks_releases WHERE deck_id = $1 AND version = $2

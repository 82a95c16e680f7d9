-- Batches of one version add up; its first notes stay. Its time is that of now, not of the transaction's begin (quiet_time). $1 deck  $2 version  $3 notes  $4 added  $5 modified  $6 deleted  $7 cards
-- $8 hash  $9 end of the log  $10 who  $11 version that the push has named, or null
INSERT INTO decks_releases (deck_id, version, notes, cards_added, cards_modified, cards_deleted, card_count, content_hash, last_seq, user_id,
  asked_version, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, clock_timestamp())
ON CONFLICT (deck_id, version) DO UPDATE SET notes = coalesce(nullif(decks_releases.notes, ''), excluded.notes),
  cards_added = decks_releases.cards_added + excluded.cards_added, cards_modified = decks_releases.cards_modified + excluded.cards_modified,
  cards_deleted = decks_releases.cards_deleted + excluded.cards_deleted, card_count = excluded.card_count,
  content_hash = excluded.content_hash, last_seq = excluded.last_seq, changed_at = now()

-- Tells whoever follows a deck, or everybody who has to do with shared decks.
-- $1 type  $2 title  $3 message  $4 deck, or null  $5 metadata
INSERT INTO decks_notices (user_id, type, title, message, deck_public_id, metadata)
SELECT told.user_id, $1, $2, $3, $4::text::uuid, $5
FROM (
  SELECT s.user_id FROM decks_subscriptions s JOIN decks d ON d.deck_id = s.deck_id AND d.deleted_at IS NULL
  WHERE s.subscribed_at IS NOT NULL AND ($4::text IS NULL OR d.public_id = $4::text::uuid)
  UNION
  SELECT d.user_id FROM decks d WHERE d.deleted_at IS NULL AND $4::text IS NULL
  UNION
  SELECT p.user_id FROM decks_people p WHERE $4::text IS NULL
) told

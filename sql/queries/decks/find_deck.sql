-- A deck by the id that clients know, also a deleted one, and what the account has to do with it.
-- $1 public id  $2 account
SELECT
-- include: deck_columns
FROM decks d
LEFT JOIN decks_maintainers m ON m.deck_id = d.deck_id AND m.user_id = $2
LEFT JOIN decks_subscriptions s ON s.deck_id = d.deck_id AND s.user_id = $2
WHERE d.public_id = $1::text::uuid

-- All decks of an owner, the last changed first. $1 account
SELECT
-- include: deck_columns
FROM decks d
LEFT JOIN decks_maintainers m ON m.deck_id = d.deck_id AND m.user_id = $1
LEFT JOIN decks_subscriptions s ON s.deck_id = d.deck_id AND s.user_id = $1
WHERE d.deck_id = ANY (ARRAY(SELECT deck_id FROM decks WHERE user_id = $1 AND deleted_at IS NULL))
ORDER BY d.updated_at DESC, d.deck_id DESC

-- Of all decks of an account that has some.
SELECT d.public_id::text, s.protected_fields FROM decks_subscriptions s JOIN decks d ON d.deck_id = s.deck_id
WHERE s.user_id = $1 AND d.deleted_at IS NULL AND cardinality(s.protected_fields) > 0
ORDER BY d.public_id

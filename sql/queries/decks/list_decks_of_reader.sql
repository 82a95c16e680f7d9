-- All decks that an account follows: subscribed, its own, and those it maintains. By title.
SELECT
-- include: deck_columns
FROM decks d
LEFT JOIN decks_maintainers m ON m.deck_id = d.deck_id AND m.user_id = $1
LEFT JOIN decks_subscriptions s ON s.deck_id = d.deck_id AND s.user_id = $1
WHERE d.deck_id IN (SELECT o.deck_id FROM decks o WHERE o.user_id = $1 AND o.deleted_at IS NULL
                    UNION SELECT u.deck_id FROM decks_subscriptions u WHERE u.user_id = $1 AND u.subscribed_at IS NOT NULL
                    UNION SELECT k.deck_id FROM decks_maintainers k WHERE k.user_id = $1)
  AND d.deleted_at IS NULL
ORDER BY d.title, d.deck_id

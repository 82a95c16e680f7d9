-- plan: free
-- A page of the decks that an account may see, the best first, and the number of all.
-- $1 account  $2 category  $3 pattern or null  $4 limit  $5 offset
SELECT count(*) OVER () AS total,
-- include: deck_columns
FROM decks d
LEFT JOIN decks_maintainers m ON m.deck_id = d.deck_id AND m.user_id = $1
LEFT JOIN decks_subscriptions s ON s.deck_id = d.deck_id AND s.user_id = $1
WHERE
-- include: browsed
ORDER BY d.is_featured DESC, d.is_verified DESC, d.subscriber_count DESC, d.title, d.deck_id
LIMIT $4 OFFSET $5

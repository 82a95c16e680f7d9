-- What an account has suggested, the newest first; with what the cards say now, as long as it may read the deck. $1 account  $2 limit  $3 offset
SELECT k.fields, k.tags, k.guid IS NOT NULL AND k.removed_seq IS NULL AS is_there, count(*) OVER () AS total, s.deck_id, d.public_id::text, d.title,
-- include: suggestion_columns
FROM decks_suggestions s JOIN decks d ON d.deck_id = s.deck_id AND d.deleted_at IS NULL
LEFT JOIN decks_cards k ON k.deck_id = s.deck_id AND k.guid = s.guid
  AND (d.is_public OR d.user_id = $1 OR EXISTS (SELECT FROM users u WHERE u.user_id = $1 AND u.is_admin)
       OR EXISTS (SELECT FROM decks_maintainers m WHERE m.deck_id = s.deck_id AND m.user_id = $1)
       OR EXISTS (SELECT FROM decks_subscriptions r WHERE r.deck_id = s.deck_id AND r.user_id = $1 AND r.subscribed_at IS NOT NULL))
WHERE s.user_id = $1
ORDER BY s.created_at DESC, s.deck_id DESC, s.suggestion_no DESC LIMIT $2 OFFSET $3

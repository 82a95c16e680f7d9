-- A page of what an account has suggested, the newest first: which, whether it may still read the deck, and about how many bytes
-- read_suggestions returns for each. $1 account  $2 limit  $3 offset
SELECT s.deck_id, s.suggestion_no, s.user_id, count(*) OVER () AS total,
  octet_length(s.base_value) + octet_length(s.value) + coalesce(octet_length(k.fields), 0) AS bytes,
  d.is_public OR d.user_id = $1 OR EXISTS (SELECT FROM users u WHERE u.user_id = $1 AND u.is_admin)
    OR EXISTS (SELECT FROM decks_maintainers m WHERE m.deck_id = s.deck_id AND m.user_id = $1)
    OR EXISTS (SELECT FROM decks_subscriptions r WHERE r.deck_id = s.deck_id AND r.user_id = $1 AND r.subscribed_at IS NOT NULL)
    AS may_read
FROM decks_suggestions s JOIN decks d ON d.deck_id = s.deck_id AND d.deleted_at IS NULL
LEFT JOIN decks_cards k ON k.deck_id = s.deck_id AND k.guid = s.guid
WHERE s.user_id = $1
ORDER BY s.created_at DESC, s.deck_id DESC, s.suggestion_no DESC LIMIT $2 OFFSET $3

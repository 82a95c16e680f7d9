-- What an account may do with a deck. No row: one of them is gone, deleted or disabled. $1 deck  $2 account
SELECT d.is_public OR a.may_edit OR EXISTS (SELECT FROM decks_subscriptions s WHERE s.deck_id = d.deck_id AND s.user_id = u.user_id
                                              AND s.subscribed_at IS NOT NULL) AS may_read,
       a.may_edit
FROM decks d JOIN users u ON u.user_id = $2 AND NOT u.is_disabled
CROSS JOIN LATERAL (SELECT d.user_id = u.user_id OR u.is_admin
                           OR EXISTS (SELECT FROM decks_maintainers m WHERE m.deck_id = d.deck_id AND m.user_id = u.user_id) AS may_edit) a
WHERE d.deck_id = $1 AND d.deleted_at IS NULL

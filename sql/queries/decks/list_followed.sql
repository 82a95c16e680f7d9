-- The decks of list_decks_of_reader with what check-updates says of each.
SELECT d.deck_id, s.last_synced_at,
       coalesce((SELECT r.notes FROM decks_releases r WHERE r.deck_id = d.deck_id AND r.version <= d.version
                 ORDER BY r.version DESC LIMIT 1), '') AS notes
FROM decks d LEFT JOIN decks_subscriptions s ON s.deck_id = d.deck_id AND s.user_id = $2
WHERE d.deck_id = ANY ($1::bigint[])

-- As list_notices, of all.
SELECT (SELECT count(*) FROM decks_notices n WHERE n.user_id = $1 AND n.read_at IS NULL) +
       (SELECT count(*) FROM decks_subscriptions s JOIN decks d ON d.deck_id = s.deck_id AND d.deleted_at IS NULL
        JOIN decks_releases r ON r.deck_id = s.deck_id AND r.created_at > s.subscribed_at
        WHERE s.user_id = $1 AND s.notifies AND s.subscribed_at IS NOT NULL
          AND NOT coalesce(r.created_at <= (SELECT p.notices_read_at FROM decks_people p WHERE p.user_id = $1), false)
          AND NOT coalesce(r.version <= s.synced_version, false)) AS unread

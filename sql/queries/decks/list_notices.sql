-- What an account is told: notes to itself, and new versions of its decks. The newest first.
-- $1 account  $2 since, or null  $3 how many
SELECT * FROM (
  SELECT n.notice_id, 0::bigint AS deck_id, 0::bigint AS version, n.type, n.title, n.message, n.deck_public_id::text AS deck_public_id,
         n.metadata, n.created_at, n.read_at IS NOT NULL AS is_read, '' AS notes
  FROM decks_notices n WHERE n.user_id = $1 AND ($2::timestamptz IS NULL OR n.created_at > $2)
  UNION ALL
  SELECT 0, r.deck_id, r.version, 'deck_update', d.title, '', d.public_id::text, '{}', r.created_at,
         coalesce(r.created_at <= (SELECT p.notices_read_at FROM decks_people p WHERE p.user_id = $1), false) OR r.version <= s.synced_version IS TRUE,
         r.notes
  FROM decks_subscriptions s
  JOIN decks d ON d.deck_id = s.deck_id AND d.deleted_at IS NULL
  JOIN decks_releases r ON r.deck_id = s.deck_id AND r.created_at > s.subscribed_at
  WHERE s.user_id = $1 AND s.notifies AND s.subscribed_at IS NOT NULL AND ($2::timestamptz IS NULL OR r.created_at > $2)
) all_notices
ORDER BY created_at DESC, notice_id DESC, deck_id, version DESC LIMIT $3

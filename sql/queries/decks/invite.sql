-- Asks an account to become a maintainer. No row: it was asked before, or has declined lately. $1 deck  $2 account
INSERT INTO decks_invitations (deck_id, user_id)
SELECT $1, $2 WHERE NOT EXISTS (SELECT FROM decks_maintainers m WHERE m.deck_id = $1 AND m.user_id = $2)
ON CONFLICT (deck_id, user_id) DO UPDATE SET invited_at = now(), declined_at = NULL
WHERE decks_invitations.declined_at < now() - interval '30 days'
RETURNING user_id

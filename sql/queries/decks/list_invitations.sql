-- Decks whose owners have asked an account to become a maintainer, the newest first. $1 account  $2 how many
SELECT d.public_id::text, d.title, d.user_id, i.invited_at
FROM decks_invitations i JOIN decks d ON d.deck_id = i.deck_id
WHERE i.user_id = $1 AND i.declined_at IS NULL AND d.deleted_at IS NULL
ORDER BY i.invited_at DESC, d.deck_id DESC
LIMIT $2

-- The newest version of a deck. $1 deck  $2 version  $3 who pushes
SELECT asked_version, user_id = $3 AND changed_at > now() - interval '15 minutes' AS is_open
FROM decks_releases WHERE deck_id = $1 AND version = $2

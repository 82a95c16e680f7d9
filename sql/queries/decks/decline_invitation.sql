-- Again: the same. No row: there is none. $1 deck  $2 account
UPDATE decks_invitations SET declined_at = coalesce(declined_at, now()) WHERE deck_id = $1 AND user_id = $2 RETURNING user_id

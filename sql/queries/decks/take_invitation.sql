-- Ends an invitation that is open. No row: there is none. $1 deck  $2 account
DELETE FROM decks_invitations WHERE deck_id = $1 AND user_id = $2 AND declined_at IS NULL RETURNING user_id

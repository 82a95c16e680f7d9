-- Of an account that may no longer read a deck that is not public. $1 deck  $2 account
UPDATE decks_subscriptions SET subscribed_at = NULL, last_call_at = now()
WHERE deck_id = $1 AND user_id = $2 AND subscribed_at IS NOT NULL
  AND NOT (SELECT d.is_public FROM decks d WHERE d.deck_id = $1)

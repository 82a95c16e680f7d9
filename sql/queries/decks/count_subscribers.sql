-- The caller holds the lock of the deck. $1 deck
UPDATE decks SET subscriber_count = (SELECT count(*) FROM decks_subscriptions s
  WHERE s.deck_id = $1 AND s.subscribed_at IS NOT NULL AND NOT s.is_idle AND s.user_id <> decks.user_id)
WHERE deck_id = $1

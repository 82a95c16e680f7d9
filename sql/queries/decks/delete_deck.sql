-- Leaves a tombstone with what the answer says. A job removes the rest. $1 deck
UPDATE decks SET deleted_at = now(), deleted_cards = card_count,
       deleted_subscribers = (SELECT count(*) FROM decks_subscriptions s
                              WHERE s.deck_id = decks.deck_id AND s.subscribed_at IS NOT NULL AND s.user_id <> decks.user_id)
WHERE deck_id = $1
RETURNING deleted_cards, deleted_subscribers

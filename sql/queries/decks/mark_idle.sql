-- Subscriptions whose computers have not called for long: they count no more. $1 deck  $2 days
UPDATE decks_subscriptions SET is_idle = true
WHERE deck_id = $1 AND NOT is_idle AND subscribed_at IS NOT NULL AND last_call_at < now() - make_interval(days => $2::int)

-- plan: free
-- Decks with subscriptions to mark as idle. $1 days
SELECT DISTINCT deck_id FROM decks_subscriptions
WHERE NOT is_idle AND subscribed_at IS NOT NULL AND last_call_at < now() - make_interval(days => $1::int)

SELECT subscribed_at, is_enabled, notifies, baseline_seq, synced_version, last_synced_at, protected_fields
FROM decks_subscriptions WHERE deck_id = $1 AND user_id = $2

-- Whoever was idle is counted again by `subscribe`, under the lock of the deck. $1 deck  $2 account  $3 version up to which the client has everything, or null
UPDATE decks_subscriptions SET synced_version = greatest(synced_version, $3::bigint), last_synced_at = now(), last_call_at = now()
WHERE deck_id = $1 AND user_id = $2

-- The first download is what a computer without a place in the log has at least; later ones may be another computer's.
-- $1 deck  $2 account  $3 log  $4 version
INSERT INTO decks_subscriptions (deck_id, user_id, baseline_seq, synced_version, last_synced_at) VALUES ($1, $2, $3, $4, now())
ON CONFLICT (deck_id, user_id) DO UPDATE SET baseline_seq = coalesce(decks_subscriptions.baseline_seq, $3),
  synced_version = greatest(decks_subscriptions.synced_version, $4), last_synced_at = now(), last_call_at = now()

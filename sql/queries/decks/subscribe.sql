-- $1 deck  $2 account  $3 enabled or null  $4 notifies or null. The row is locked.
INSERT INTO decks_subscriptions (deck_id, user_id, subscribed_at, is_enabled, notifies)
VALUES ($1, $2, now(), coalesce($3::boolean, true), coalesce($4::boolean, true))
ON CONFLICT (deck_id, user_id) DO UPDATE SET subscribed_at = coalesce(decks_subscriptions.subscribed_at, now()),
  is_enabled = coalesce($3::boolean, decks_subscriptions.is_enabled), notifies = coalesce($4::boolean, decks_subscriptions.notifies),
  is_idle = false, last_call_at = now()

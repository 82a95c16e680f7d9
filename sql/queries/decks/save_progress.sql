-- $1 deck  $2 account  $3 snapshot
INSERT INTO decks_progress (deck_id, user_id, day, snapshot) VALUES ($1, $2, current_date, $3)
ON CONFLICT (deck_id, user_id, day) DO UPDATE SET snapshot = $3, synced_at = now()

INSERT INTO decks_subscriptions (deck_id, user_id, protected_fields) VALUES ($1, $2, $3)
ON CONFLICT (deck_id, user_id) DO UPDATE SET protected_fields = $3, last_call_at = now()

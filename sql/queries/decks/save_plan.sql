INSERT INTO decks_plans (plan, max_decks) VALUES ($1, $2) ON CONFLICT (plan) DO UPDATE SET max_decks = $2

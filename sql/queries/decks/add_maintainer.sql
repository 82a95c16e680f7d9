INSERT INTO decks_maintainers (deck_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING

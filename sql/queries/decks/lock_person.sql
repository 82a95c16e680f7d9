-- Serialises what counts the decks of one owner: two decks at once must not both pass the limit.
INSERT INTO decks_people (user_id) VALUES ($1) ON CONFLICT (user_id) DO UPDATE SET user_id = excluded.user_id

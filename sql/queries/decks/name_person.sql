-- How others see an account. $1 account  $2 name
INSERT INTO decks_people (user_id, full_name) VALUES ($1, $2) ON CONFLICT (user_id) DO UPDATE SET full_name = $2

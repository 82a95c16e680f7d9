-- $1 account  $2 those up to this time
INSERT INTO decks_people (user_id, notices_read_at) VALUES ($1, $2)
ON CONFLICT (user_id) DO UPDATE SET notices_read_at = greatest(decks_people.notices_read_at, $2)

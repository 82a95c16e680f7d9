-- A full sync begins. $1 deck  $2 account  $3 computer  $4 log
INSERT INTO decks_positions (deck_id, user_id, device_id, offered_seq) VALUES ($1, $2, $3, $4)
ON CONFLICT (deck_id, user_id, device_id) DO UPDATE SET offered_seq = $4, seen_at = now()

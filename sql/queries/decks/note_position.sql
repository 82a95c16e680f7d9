-- Never backwards. $1 deck  $2 account  $3 computer  $4 log  $5 log with tags, types and paths
INSERT INTO decks_positions (deck_id, user_id, device_id, seq, whole_seq) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (deck_id, user_id, device_id) DO UPDATE
  SET seq = greatest(decks_positions.seq, $4), whole_seq = greatest(decks_positions.whole_seq, $5), seen_at = now()

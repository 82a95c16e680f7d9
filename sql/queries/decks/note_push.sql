-- Never backwards. $1 deck  $2 account  $3 computer  $4 log
INSERT INTO decks_positions (deck_id, user_id, device_id, pushed_seq, whole_seq) VALUES ($1, $2, $3, $4, $4)
ON CONFLICT (deck_id, user_id, device_id) DO UPDATE
  SET pushed_seq = greatest(decks_positions.pushed_seq, $4), whole_seq = greatest(decks_positions.whole_seq, $4), seen_at = now()

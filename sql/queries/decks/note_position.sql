-- The computer names a place in the log. Never backwards. If the place is not before its last download, that has arrived, with its
-- tags, types and paths; otherwise it goes on with an older copy. $1 deck  $2 account  $3 computer  $4 log
INSERT INTO decks_positions AS p (deck_id, user_id, device_id, seq) VALUES ($1, $2, $3, $4)
ON CONFLICT (deck_id, user_id, device_id) DO UPDATE
  SET seq = greatest(p.seq, $4), whole_seq = CASE WHEN $4 >= p.sent_seq THEN greatest(p.whole_seq, p.sent_seq) ELSE p.whole_seq END,
      sent_seq = 0, seen_at = now()

-- The computer names a place in the log. Never backwards. If the place is not before its last download, that has arrived, with its
-- tags, types and paths; otherwise it goes on with an older copy. A new login has those up to where the account's computer has them
-- that is the furthest behind. $1 deck  $2 account  $3 computer  $4 log
INSERT INTO decks_positions AS p (deck_id, user_id, device_id, seq, whole_seq)
SELECT $1, $2, $3, $4, coalesce(least($4, min(coalesce(nullif(o.whole_seq, 0), nullif(o.first_sent_seq, 0)))), 0)
FROM decks_positions o WHERE o.deck_id = $1 AND o.user_id = $2
ON CONFLICT (deck_id, user_id, device_id) DO UPDATE
  SET seq = greatest(p.seq, $4), sent_seq = 0, first_sent_seq = 0, seen_at = now(),
      whole_seq = CASE WHEN p.sent_seq > 0 AND $4 >= p.sent_seq THEN greatest(p.whole_seq, p.sent_seq)
                       WHEN p.whole_seq = 0 THEN EXCLUDED.whole_seq ELSE p.whole_seq END

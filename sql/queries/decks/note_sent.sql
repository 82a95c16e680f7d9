-- A whole deck was sent; note_position confirms it. The account's first one needs no confirmation: there is no older copy that the
-- computer could go on with. $1 deck  $2 account  $3 computer  $4 log
INSERT INTO decks_positions AS p (deck_id, user_id, device_id, seq, whole_seq, sent_seq, first_sent_seq)
SELECT $1, $2, $3, CASE WHEN k.has_copy THEN 0 ELSE $4 END, CASE WHEN k.has_copy THEN 0 ELSE $4 END, $4, $4
FROM (SELECT EXISTS (SELECT FROM decks_positions a WHERE a.deck_id = $1 AND a.user_id = $2 AND greatest(a.seq, a.pushed_seq) > 0)
      AS has_copy) k
ON CONFLICT (deck_id, user_id, device_id) DO UPDATE
  SET seq = greatest(p.seq, EXCLUDED.seq), whole_seq = greatest(p.whole_seq, EXCLUDED.whole_seq), offered_seq = 0,
      sent_seq = EXCLUDED.sent_seq, first_sent_seq = coalesce(nullif(p.first_sent_seq, 0), EXCLUDED.sent_seq), seen_at = now()

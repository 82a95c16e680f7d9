-- A full sync has ended: the computer has all up to the log of its first page. $1 deck  $2 account  $3 computer
UPDATE decks_positions SET whole_seq = greatest(whole_seq, offered_seq), offered_seq = 0, seen_at = now()
WHERE deck_id = $1 AND user_id = $2 AND device_id = $3
RETURNING whole_seq AS seq

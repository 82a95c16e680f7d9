-- Begins with the whole deck; one that is on goes on. $1 deck  $2 account  $3 whether notes of removed cards are deleted, or null
INSERT INTO decks_deliveries AS d (deck_id, user_id, state, deletes_removed) VALUES ($1, $2, 'on', coalesce($3::boolean, false))
ON CONFLICT (deck_id, user_id) DO UPDATE SET state = 'on', deletes_removed = coalesce($3::boolean, d.deletes_removed), problem = '',
  seq = CASE WHEN d.state = 'on' THEN d.seq ELSE 0 END,
  media_hash = CASE WHEN d.state = 'on' THEN d.media_hash END

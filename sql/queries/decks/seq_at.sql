-- The end of the log at a time. $1 deck  $2 time
SELECT seq FROM decks_changes WHERE deck_id = $1 AND created_at <= $2 ORDER BY created_at DESC, seq DESC LIMIT 1

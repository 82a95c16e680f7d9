-- Those that are pending. $1 deck  $2 numbers  $3 state  $4 reviewer or null  $5 note  $6 version or null
UPDATE decks_suggestions SET state = $3, reviewer_id = $4, note = $5, applied_version = $6, reviewed_at = now()
WHERE deck_id = $1 AND suggestion_no = ANY ($2::bigint[]) AND state = 'pending'

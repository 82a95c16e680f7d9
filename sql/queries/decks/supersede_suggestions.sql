-- Those for cards that were removed. $1 deck  $2 guids  $3 the suggestions that asked for it
UPDATE decks_suggestions SET state = 'superseded', reviewed_at = now()
WHERE deck_id = $1 AND state = 'pending' AND guid = ANY ($2::text[]) AND NOT suggestion_no = ANY ($3::bigint[])

-- plan: free
-- How many of these keys of first fields cards have that are there, beside some cards. $1 deck  $2 keys  $3 guids
SELECT count(DISTINCT c.first_key) AS twins FROM decks_cards c
WHERE c.deck_id = $1 AND c.removed_seq IS NULL AND c.first_key = ANY ($2::bigint[]) AND NOT c.guid = ANY ($3::text[])

-- What of an account waits for a decision. $1 deck  $2 account
SELECT count(*) AS count, coalesce(sum(octet_length(base_value) + octet_length(value)), 0)::bigint AS bytes
FROM decks_suggestions WHERE deck_id = $1 AND user_id = $2 AND state = 'pending'

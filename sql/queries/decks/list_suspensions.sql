-- A buried card is one until the next day. $1 deck  $2 account  $3 since, or null
SELECT s.guid, s.card_ord, s.is_suspended, s.is_buried AND s.updated_at > now() - interval '1 day' AS is_buried, s.updated_at
FROM decks_suspensions s
WHERE s.deck_id = $1 AND s.user_id = $2 AND ($3::timestamptz IS NULL OR s.received_at > $3)
ORDER BY s.guid, s.card_ord

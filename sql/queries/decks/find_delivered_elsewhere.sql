-- Notes of other decks that are delivered to the account. $1 deck  $2 account  $3 guids
SELECT DISTINCT n.guid
FROM decks_deliveries d
JOIN decks_delivered_notes n ON n.deck_id = d.deck_id AND n.user_id = d.user_id
WHERE d.user_id = $2 AND d.deck_id <> $1 AND n.guid = ANY ($3::text[])

-- Notes of other decks that are delivered to the account. $1 deck  $2 account  $3 guids
SELECT DISTINCT g.guid
FROM decks_deliveries d
CROSS JOIN unnest($3::text[]) AS g (guid)
CROSS JOIN LATERAL (SELECT FROM decks_delivered_notes n WHERE n.deck_id = d.deck_id AND n.user_id = d.user_id AND n.guid = g.guid LIMIT 1) AS o
WHERE d.user_id = $2 AND d.deck_id <> $1

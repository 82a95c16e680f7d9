-- $1 deck  $2 account  $3 note type  $4 the guid before them  $5 how many
SELECT n.guid
FROM decks_delivered_notes n
CROSS JOIN LATERAL (SELECT c.note_type FROM decks_cards c WHERE c.deck_id = $1 AND c.guid = n.guid LIMIT 1) AS c
WHERE n.deck_id = $1 AND n.user_id = $2 AND n.guid > $4 AND n.state <> 'deleted' AND c.note_type = $3
ORDER BY n.guid LIMIT $5

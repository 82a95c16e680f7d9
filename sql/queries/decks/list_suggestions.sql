-- A page of a deck's suggestions in one state, the oldest first. $1 deck  $2 state  $3 limit  $4 offset
SELECT k.fields, k.tags, k.removed_seq IS NULL AS is_there, count(*) OVER () AS total,
-- include: suggestion_columns
FROM decks_suggestions s LEFT JOIN decks_cards k ON k.deck_id = s.deck_id AND k.guid = s.guid
WHERE s.deck_id = $1 AND s.state = $2
ORDER BY s.suggestion_no LIMIT $3 OFFSET $4

-- A page of a deck's suggestions in one state, the oldest first: which, and about how many bytes read_suggestions returns for each.
-- $1 deck  $2 state  $3 limit  $4 offset
SELECT s.deck_id, s.suggestion_no, s.user_id, true AS may_read, count(*) OVER () AS total,
  octet_length(s.base_value) + octet_length(s.value) + coalesce(octet_length(k.fields), 0) AS bytes
FROM decks_suggestions s LEFT JOIN decks_cards k ON k.deck_id = s.deck_id AND k.guid = s.guid
WHERE s.deck_id = $1 AND s.state = $2
ORDER BY s.suggestion_no LIMIT $3 OFFSET $4

-- The latest pending edit of an account for each field of these cards.
-- $1 deck  $2 account  $3 guids
SELECT DISTINCT ON (s.guid, s.field) s.suggestion_no, s.guid, s.field, s.base_value, s.value
FROM decks_suggestions s
WHERE s.deck_id = $1 AND s.user_id = $2 AND s.guid = ANY ($3::text[]) AND s.kind = 'field' AND s.state = 'pending'
ORDER BY s.guid, s.field, s.suggestion_no DESC

-- What a push that names all cards of a deck does not name. $1 deck  $2 guids
SELECT c.guid FROM decks_cards c
WHERE c.deck_id = $1 AND c.removed_seq IS NULL AND NOT (c.guid = ANY ($2::text[]))
ORDER BY c.ord

-- Keeps others from deciding until the transaction ends. The caller holds the lock of the deck. $1 deck  $2 numbers
SELECT
-- include: suggestion_columns
FROM decks_suggestions s
WHERE s.deck_id = $1 AND s.suggestion_no = ANY ($2::bigint[])
ORDER BY s.suggestion_no
FOR UPDATE

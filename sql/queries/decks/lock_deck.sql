-- Keeps others from writing the deck until the transaction ends, but not from adding rows that refer to it, such as the place of a
-- reader. Only that: a caller that has waited reads the deck and the roles next, as they are by then.
SELECT deck_id FROM decks WHERE public_id = $1::text::uuid FOR NO KEY UPDATE

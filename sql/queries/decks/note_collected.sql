-- The deck has gone into its owner's collection. $1 deck  $2 log
UPDATE decks SET collected_seq = $2 WHERE deck_id = $1

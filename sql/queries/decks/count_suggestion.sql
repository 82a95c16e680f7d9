-- Takes the next numbers of a deck, whose lock the caller holds. $1 deck  $2 how many
UPDATE decks SET next_suggestion = next_suggestion + $2 WHERE deck_id = $1 RETURNING next_suggestion - $2 AS first

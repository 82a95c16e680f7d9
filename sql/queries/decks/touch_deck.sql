-- Something of it has changed that makes no version. $1 deck
UPDATE decks SET updated_at = now() WHERE deck_id = $1

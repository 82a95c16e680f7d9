-- The collection has all of the deck, and has been looked at. $1 deck  $2 account  $3 generation  $4 usn
UPDATE decks_deliveries SET generation = $3, usn = $4, restores = false, delivered_at = now(), problem = ''
WHERE deck_id = $1 AND user_id = $2

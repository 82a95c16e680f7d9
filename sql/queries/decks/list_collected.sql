-- plan: free
-- Cards that the owner has added after this place in the log: what goes into their collection. $1 deck  $2 owner
SELECT k.guid
FROM decks d JOIN decks_cards k ON k.deck_id = d.deck_id AND k.removed_seq IS NULL AND k.added_seq > d.collected_seq
JOIN decks_changes c ON c.deck_id = d.deck_id AND c.seq = k.added_seq AND c.user_id = $2
WHERE d.deck_id = $1

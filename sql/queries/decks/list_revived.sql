-- Cards that came back in a part of the log, unchanged. $1 deck  $2 after  $3 up to
SELECT DISTINCT c.guid FROM decks_changes c JOIN decks_cards k ON k.deck_id = c.deck_id AND k.guid = c.guid AND k.removed_seq IS NULL
WHERE c.deck_id = $1 AND c.seq > $2 AND c.seq <= $3 AND c.kind = 'revive' AND c.seq > k.added_seq

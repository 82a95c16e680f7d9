-- Cards that were removed in a part of the log, and are still away. $1 deck  $2 after  $3 up to
SELECT c.seq, c.guid, c.version, c.created_at
FROM decks_changes c JOIN decks_cards k ON k.deck_id = c.deck_id AND k.guid = c.guid AND k.removed_seq = c.seq
WHERE c.deck_id = $1 AND c.seq > $2 AND c.seq <= $3 AND c.kind = 'delete'
ORDER BY c.seq

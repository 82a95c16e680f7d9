-- Deliveries with something to do: the deck has changed, or a device has synced, or the collection was replaced. The head of the
-- collection tells the latter; only anki writes it. $1, $2 deck and account before them  $3 how many
SELECT d.deck_id, d.user_id
FROM decks_deliveries d
JOIN decks k USING (deck_id)
LEFT JOIN anki_collections c ON c.user_id = d.user_id
WHERE (d.deck_id, d.user_id) > ($1, $2)
  AND (d.state <> 'on' OR k.deleted_at IS NOT NULL
       OR (c.user_id IS NOT NULL AND (d.seq < k.head_seq OR d.generation <> c.generation OR d.usn <> c.usn
                                     OR d.problem <> '')))
ORDER BY d.deck_id, d.user_id LIMIT $3

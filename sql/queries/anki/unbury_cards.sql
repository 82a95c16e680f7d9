-- Moves buried cards to the queue of their type. mod and usn stay: every client does the same on its own. The buried ones
-- are kept, in pieces below those of deleted cards (see anki_old_cards). $3: the sync's usn.
WITH buried AS MATERIALIZED (
  SELECT * FROM anki_cards WHERE user_id = $1 AND generation = $2 AND queue IN (-2, -3)
), unburied AS (
  UPDATE anki_cards
     SET queue = CASE WHEN type IN (1, 3) THEN CASE WHEN due > 1000000000 THEN 1 ELSE 3 END WHEN type = 2 THEN 2 ELSE 0 END
   WHERE user_id = $1 AND generation = $2 AND queue IN (-2, -3)
)
INSERT INTO anki_old_cards (user_id, generation, at_usn, piece, bytes,
    ids, note_ids, deck_ids, ords, mods, usns, types, queues, dues, intervals, factors, reps, lapses, remainings,
    original_dues, original_deck_ids, flags, datas)
SELECT $1, $2, $3, p.piece, sum(60 + octet_length(p.data)),
       array_agg(p.id), array_agg(p.note_id), array_agg(p.deck_id), array_agg(p.ord), array_agg(p.mod),
         array_agg(p.usn), array_agg(p.type), array_agg(p.queue), array_agg(p.due), array_agg(p.interval),
         array_agg(p.factor), array_agg(p.reps), array_agg(p.lapses), array_agg(p.remaining),
         array_agg(p.original_due), array_agg(p.original_deck_id), array_agg(p.flags), array_agg(p.data)
  FROM (SELECT d.*, -1000001 - sum(200 + octet_length(d.data)) OVER (ORDER BY d.id) / 1048576 AS piece FROM buried d) AS p
 GROUP BY p.piece

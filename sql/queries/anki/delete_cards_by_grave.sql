-- One scalar subquery per grave: see new_ids. The collection is locked, so no ctid changes meanwhile. What is deleted is
-- kept, in pieces below 0 (see anki_old_cards). $4: the sync's usn.
WITH deleted AS (
  DELETE FROM anki_cards WHERE ctid = ANY (ARRAY(
    SELECT (SELECT c.ctid FROM anki_cards c WHERE c.user_id = $1 AND c.generation = $2 AND c.id = g.id)
      FROM anki_staged_graves g WHERE g.user_id = $1 AND g.fence = $3 AND g.kind = 0))
  RETURNING *
)
INSERT INTO anki_old_cards (user_id, generation, at_usn, piece, bytes,
    ids, note_ids, deck_ids, ords, mods, usns, types, queues, dues, intervals, factors, reps, lapses, remainings,
    original_dues, original_deck_ids, flags, datas)
SELECT $1, $2, $4, p.piece, sum(60 + octet_length(p.data)),
       array_agg(p.id), array_agg(p.note_id), array_agg(p.deck_id), array_agg(p.ord), array_agg(p.mod),
         array_agg(p.usn), array_agg(p.type), array_agg(p.queue), array_agg(p.due), array_agg(p.interval),
         array_agg(p.factor), array_agg(p.reps), array_agg(p.lapses), array_agg(p.remaining),
         array_agg(p.original_due), array_agg(p.original_deck_id), array_agg(p.flags), array_agg(p.data)
  FROM (SELECT d.*, -1 - sum(200 + octet_length(d.data)) OVER (ORDER BY d.id) / 1048576 AS piece FROM deleted d) AS p
 GROUP BY p.piece

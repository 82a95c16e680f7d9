-- See delete_cards_by_grave.
WITH deleted AS (
  DELETE FROM anki_notes WHERE ctid = ANY (ARRAY(
    SELECT (SELECT n.ctid FROM anki_notes n WHERE n.user_id = $1 AND n.generation = $2 AND n.id = g.id)
      FROM anki_staged_graves g WHERE g.user_id = $1 AND g.fence = $3 AND g.kind = 1))
  RETURNING *, octet_length(guid) + octet_length(tags) + octet_length(fields) AS text_bytes
)
INSERT INTO anki_old_notes (user_id, generation, at_usn, piece, bytes, ids, guids, notetype_ids, mods, usns, tags, fields)
SELECT $1, $2, $4, p.piece, sum(60 + p.text_bytes),
       array_agg(p.id), array_agg(p.guid), array_agg(p.notetype_id), array_agg(p.mod), array_agg(p.usn),
         array_agg(p.tags), array_agg(p.fields)
  FROM (SELECT d.*, -1 - sum(200 + d.text_bytes) OVER (ORDER BY d.id) / 1048576 AS piece FROM deleted d) AS p
 GROUP BY p.piece

-- See old_cards.
SELECT u.id, u.guid, u.notetype_id, u.mod, u.usn, u.tags, u.fields, u.absent_id, o.at_usn, o.piece
  FROM (SELECT p.* FROM anki_old_notes p
         WHERE p.user_id = $1 AND p.generation = $2 AND p.at_usn >= $3 AND (p.at_usn, p.piece) < ($4, $5)
         ORDER BY p.at_usn DESC, p.piece DESC LIMIT $6) AS o
 CROSS JOIN LATERAL unnest(o.ids, o.guids, o.notetype_ids, o.mods, o.usns, o.tags, o.fields, o.absent)
       AS u (id, guid, notetype_id, mod, usn, tags, fields, absent_id)
 ORDER BY o.at_usn DESC, o.piece DESC

-- See old_cards.
SELECT u.id, u.guid, u.notetype_id, u.mod, u.usn, u.tags, u.fields, u.absent_id
  FROM anki_old_notes o
 CROSS JOIN LATERAL unnest(o.ids, o.guids, o.notetype_ids, o.mods, o.usns, o.tags, o.fields, o.absent)
       AS u (id, guid, notetype_id, mod, usn, tags, fields, absent_id)
 WHERE o.user_id = $1 AND o.generation = $2 AND o.at_usn >= $3
 ORDER BY o.at_usn DESC, o.piece DESC

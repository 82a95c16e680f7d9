-- Syncs that changed something, newest first, and how much: the old rows that they have kept, and what was not there yet.
SELECT p.generation, p.usn, p.finished_at, p.during_import,
       coalesce((SELECT d.name FROM devices d WHERE d.user_id = $1 AND d.device_id = p.device_id), '') AS device,
       cards.added AS cards_added, cards.changed AS cards_changed, cards.deleted AS cards_deleted,
       notes.added AS notes_added, notes.changed AS notes_changed, notes.deleted AS notes_deleted,
       (SELECT coalesce(sum(cardinality(l.ids)), 0) FROM anki_changed l
         WHERE l.user_id = $1 AND l.generation = p.generation AND l.part = 8 AND l.usn = p.usn) AS reviews,
       (SELECT count(*) FROM anki_old_objects o WHERE o.user_id = $1 AND o.generation = p.generation AND o.at_usn = p.usn) AS objects
  FROM anki_points p
 CROSS JOIN LATERAL (
   SELECT coalesce(sum(cardinality(o.absent)), 0) AS added,
          coalesce(sum(cardinality(o.ids) - coalesce(cardinality(o.absent), 0)) FILTER (WHERE o.piece >= 0), 0) AS changed,
          coalesce(sum(cardinality(o.ids)) FILTER (WHERE o.piece BETWEEN -1000000 AND -1), 0) AS deleted
     FROM anki_old_cards o WHERE o.user_id = $1 AND o.generation = p.generation AND o.at_usn = p.usn) AS cards
 CROSS JOIN LATERAL (
   SELECT coalesce(sum(cardinality(o.absent)), 0) AS added,
          coalesce(sum(cardinality(o.ids) - coalesce(cardinality(o.absent), 0)) FILTER (WHERE o.piece >= 0), 0) AS changed,
          coalesce(sum(cardinality(o.ids)) FILTER (WHERE o.piece < 0), 0) AS deleted
     FROM anki_old_notes o WHERE o.user_id = $1 AND o.generation = p.generation AND o.at_usn = p.usn) AS notes
 WHERE p.user_id = $1 ORDER BY p.generation DESC, p.usn DESC

-- Ends a sync: raises the usn by one and stores the counters. Reviews that moved to another id (see apply_revlog)
-- have the next usn; then the usn rises by two and mod_ms by one, so that the sender syncs again.
-- The sync becomes a point of the history, with what the other statements have kept of it, if it changes something ($18).
-- $14: by how much the texts grow (null: unknown, to be counted again). $15: card data of more than 200 bytes was sent.
WITH moved AS (
  SELECT CASE WHEN $8::boolean THEN (
           SELECT coalesce(sum(cardinality(r.ids)), 0)
             FROM anki_changed r WHERE r.user_id = $1 AND r.generation = $13 AND r.part = 8 AND r.usn = $2::int + 1
         ) ELSE 0 END AS reviews
), kept AS (
  SELECT CASE WHEN $18::boolean THEN 100
           + coalesce((SELECT sum(o.bytes) FROM anki_old_cards o WHERE o.user_id = $1 AND o.generation = $13 AND o.at_usn = $2 AND ($6 OR $9 OR $12)), 0)
           + coalesce((SELECT sum(o.bytes) FROM anki_old_notes o WHERE o.user_id = $1 AND o.generation = $13 AND o.at_usn = $2 AND ($7 OR $9)), 0)
           + coalesce((SELECT sum(o.bytes) FROM anki_old_objects o WHERE o.user_id = $1 AND o.generation = $13 AND o.at_usn = $2 AND ($9 OR $10)), 0)
           + coalesce((SELECT sum(o.bytes) FROM anki_old_tags o WHERE o.user_id = $1 AND o.generation = $13 AND o.at_usn = $2 AND ($11)), 0)
           + coalesce((SELECT sum(o.bytes) FROM anki_old_configs o WHERE o.user_id = $1 AND o.generation = $13 AND o.at_usn = $2), 0)
         ELSE 0 END AS bytes
), point AS (
  INSERT INTO anki_points (user_id, generation, usn, device_id, created_s, during_import, bytes)
  SELECT c.user_id, c.generation, $2, $17, c.created_s, c.import_step <> 3, kept.bytes
    FROM anki_collections c, kept WHERE c.user_id = $1 AND $18::boolean
)
UPDATE anki_collections
   SET usn = $2::int + 1 + (moved.reviews > 0)::int, mod_ms = $3::bigint + (moved.reviews > 0)::int, created_s = coalesce($4, created_s),
       cards = ($5::bigint[])[1], notes = ($5::bigint[])[2], revlog = ($5::bigint[])[3] + moved.reviews,
       notetypes = ($5::bigint[])[4], decks = ($5::bigint[])[5], deck_configs = ($5::bigint[])[6],
       cards_usn = CASE WHEN $6::boolean THEN $2::int ELSE cards_usn END,
       notes_usn = CASE WHEN $7::boolean THEN $2::int ELSE notes_usn END,
       revlog_usn = CASE WHEN $8::boolean THEN $2::int + (moved.reviews > 0)::int ELSE revlog_usn END,
       graves_usn = CASE WHEN $9::boolean THEN $2::int ELSE graves_usn END,
       objects_usn = CASE WHEN $10::boolean THEN $2::int ELSE objects_usn END,
       tags_usn = CASE WHEN $11::boolean THEN $2::int ELSE tags_usn END,
       unburied_since_base = unburied_since_base OR $12,
       content_bytes = content_bytes + $14::bigint, has_long_data = has_long_data OR $15,
       content_generation = CASE WHEN $16 THEN NULL ELSE content_generation END,
       history_bytes = history_bytes + kept.bytes
  FROM moved, kept
 WHERE user_id = $1

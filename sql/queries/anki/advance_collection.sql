-- The end of a sync: one usn further, the counters as the sanity check has seen them.
UPDATE anki_collections
   SET usn = $2::int + 1, mod_ms = $3, created_s = coalesce($4, created_s),
       cards = ($5::bigint[])[1], notes = ($5::bigint[])[2], revlog = ($5::bigint[])[3],
       notetypes = ($5::bigint[])[4], decks = ($5::bigint[])[5], deck_configs = ($5::bigint[])[6],
       cards_usn = CASE WHEN $6::boolean THEN $2::int ELSE cards_usn END,
       notes_usn = CASE WHEN $7::boolean THEN $2::int ELSE notes_usn END,
       revlog_usn = CASE WHEN $8::boolean THEN $2::int ELSE revlog_usn END,
       graves_usn = CASE WHEN $9::boolean THEN $2::int ELSE graves_usn END,
       objects_usn = CASE WHEN $10::boolean THEN $2::int ELSE objects_usn END,
       tags_usn = CASE WHEN $11::boolean THEN $2::int ELSE tags_usn END,
       unburied_since_base = unburied_since_base OR $12
 WHERE user_id = $1

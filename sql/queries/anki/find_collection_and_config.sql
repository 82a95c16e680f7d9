-- For start: the head, and the config, which defines when a day ends. A config of more than $2 bytes is NULL.
SELECT c.generation, created_s, mod_ms, schema_ms, usn, cards, notes, revlog, notetypes, decks, deck_configs,
       cards_usn, notes_usn, revlog_usn, graves_usn, objects_usn, tags_usn,
       base_blob, base_bytes, base_usn, base_mod_ms, base_schema_ms, unburied_since_base, import_step, import_after, has_long_data,
       CASE WHEN octet_length(config) <= $2::bigint THEN config END AS config
  FROM anki_collections c JOIN anki_config f ON f.user_id = c.user_id AND f.generation = c.generation
 WHERE c.user_id = $1 AND f.user_id = $1

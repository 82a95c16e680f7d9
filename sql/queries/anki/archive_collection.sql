-- Copies the current collection to history before it is replaced. The clock is read after the locks were taken: what a
-- restore then does with the media comes after this time, and what devices have done with them comes before.
INSERT INTO anki_history (user_id, generation, created_s, mod_ms, schema_ms, usn,
    cards, notes, revlog, notetypes, decks, deck_configs,
    cards_usn, notes_usn, revlog_usn, graves_usn, objects_usn, tags_usn,
    base_blob, base_bytes, base_usn, base_mod_ms, base_schema_ms, unburied_since_base, import_step, import_after, replaced_at)
SELECT user_id, generation, created_s, mod_ms, schema_ms, usn,
    cards, notes, revlog, notetypes, decks, deck_configs,
    cards_usn, notes_usn, revlog_usn, graves_usn, objects_usn, tags_usn,
    base_blob, base_bytes, base_usn, base_mod_ms, base_schema_ms, unburied_since_base, import_step, import_after, clock_timestamp()
  FROM anki_collections WHERE user_id = $1

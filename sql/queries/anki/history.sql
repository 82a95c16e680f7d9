SELECT generation, created_s, mod_ms, schema_ms, usn, cards, notes, revlog, notetypes, decks, deck_configs,
       cards_usn, notes_usn, revlog_usn, graves_usn, objects_usn, tags_usn,
       base_blob, base_bytes, base_usn, base_mod_ms, base_schema_ms, unburied_since_base, import_step, import_after, true AS has_long_data,
       replaced_at, is_archived
  FROM anki_history WHERE user_id = $1 ORDER BY generation DESC

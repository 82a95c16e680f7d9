-- Stores the first generation, or replaces the old one, which the caller has copied to anki_history.
INSERT INTO anki_collections AS c (user_id, generation, created_s, mod_ms, schema_ms, usn,
    cards, notes, revlog, notetypes, decks, deck_configs,
    cards_usn, notes_usn, revlog_usn, graves_usn, objects_usn, tags_usn,
    base_blob, base_bytes, base_usn, base_mod_ms, base_schema_ms, unburied_since_base, import_step, import_after,
    content_bytes)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13, $13, $13, $13, $13, $14, $15, $19, $16, $17, false, $18, (-9223372036854775808)::bigint, $20)
ON CONFLICT (user_id) DO UPDATE SET
    generation = excluded.generation, created_s = excluded.created_s, mod_ms = excluded.mod_ms,
    schema_ms = excluded.schema_ms, usn = excluded.usn, cards = excluded.cards, notes = excluded.notes,
    revlog = excluded.revlog, notetypes = excluded.notetypes, decks = excluded.decks, deck_configs = excluded.deck_configs,
    cards_usn = excluded.cards_usn, notes_usn = excluded.notes_usn, revlog_usn = excluded.revlog_usn,
    graves_usn = excluded.graves_usn, objects_usn = excluded.objects_usn, tags_usn = excluded.tags_usn,
    base_blob = excluded.base_blob, base_bytes = excluded.base_bytes, base_usn = excluded.base_usn,
    base_mod_ms = excluded.base_mod_ms, base_schema_ms = excluded.base_schema_ms, unburied_since_base = false,
    import_step = excluded.import_step, import_after = excluded.import_after,
    content_bytes = excluded.content_bytes, content_generation = NULL, has_long_data = true
WHERE c.generation < excluded.generation

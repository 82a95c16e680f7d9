SELECT name_key, name, fields, definition, updated_at FROM decks_note_types WHERE deck_id = $1 ORDER BY name_key

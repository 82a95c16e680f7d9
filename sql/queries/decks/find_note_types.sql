-- By their names without case. $1 deck  $2 names
SELECT name_key, name, fields, definition, updated_at FROM decks_note_types WHERE deck_id = $1 AND name_key = ANY ($2::text[])

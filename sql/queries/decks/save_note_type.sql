-- $1 deck  $2 its name without case  $3 name  $4 fields  $5 definition, or null: made up  $6 version
WITH saved AS (
  INSERT INTO decks_note_types (deck_id, name_key, name, fields, definition) VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (deck_id, name_key) DO UPDATE SET fields = excluded.fields, definition = excluded.definition, updated_at = now()
)
INSERT INTO decks_note_type_versions (deck_id, name_key, version, fields, definition) VALUES ($1, $2, $6, $4, $5)
ON CONFLICT (deck_id, name_key, version) DO UPDATE SET fields = excluded.fields, definition = excluded.definition

-- $1 deck  $2 account  $3 name without case  $4 step  $5 its id in the collection  $6 fields  $7 templates  $8 known texts
INSERT INTO decks_delivered_types (deck_id, user_id, name_key, step, notetype_id, fields, templates, known) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (deck_id, user_id, name_key, step) DO UPDATE
  SET notetype_id = excluded.notetype_id, fields = excluded.fields, templates = excluded.templates, known = excluded.known

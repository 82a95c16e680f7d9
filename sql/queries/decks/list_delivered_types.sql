-- $1 deck  $2 account
SELECT name_key, step, notetype_id, fields, templates, known FROM decks_delivered_types WHERE deck_id = $1 AND user_id = $2 ORDER BY name_key, step

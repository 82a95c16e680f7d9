-- Guids are not unique, and have no index: one pass over the account's notes, for many of them at once.
-- $1 account  $2 generation  $3 guids
SELECT id, guid, notetype_id, mod, usn, tags, fields
  FROM anki_notes WHERE user_id = $1 AND generation = $2 AND guid = ANY ($3::text[]) ORDER BY id

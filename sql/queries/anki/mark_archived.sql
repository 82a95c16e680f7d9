-- From now on the base file holds the whole state.
UPDATE anki_history
   SET is_archived = true, base_blob = $3, base_bytes = $4, base_usn = usn, base_mod_ms = mod_ms, base_schema_ms = schema_ms,
       unburied_since_base = false
 WHERE user_id = $1 AND generation = $2

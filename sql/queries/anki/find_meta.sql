-- What meta answers. No row: an account without data.
SELECT mod_ms, schema_ms, usn, cards FROM anki_collections WHERE user_id = $1

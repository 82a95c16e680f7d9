-- The caller holds the collection's lock, and has counted.
UPDATE anki_collections SET content_bytes = $2, content_generation = generation, has_long_data = $3 WHERE user_id = $1

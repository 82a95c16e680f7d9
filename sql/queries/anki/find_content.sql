-- content_bytes, if it is counted.
SELECT c.content_bytes FROM anki_collections c WHERE c.user_id = $1 AND c.content_generation = c.generation

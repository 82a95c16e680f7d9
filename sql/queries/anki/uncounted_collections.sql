-- plan: free
-- Accounts whose rows are imported and not counted, above $1.
SELECT c.user_id FROM anki_collections c
 WHERE c.import_step = 3 AND c.content_generation IS DISTINCT FROM c.generation AND c.user_id > $1
 ORDER BY c.user_id LIMIT $2

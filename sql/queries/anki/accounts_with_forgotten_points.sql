-- plan: free
SELECT user_id FROM anki_collections WHERE forgotten_generation > 0 ORDER BY user_id LIMIT $1

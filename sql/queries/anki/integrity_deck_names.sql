-- plan: free
-- Decks whose parent is missing, each parent once.
SELECT count(DISTINCT d.parent_key) AS missing_parents
  FROM (SELECT substring(o.name_key FROM '^(.*)::') AS parent_key FROM anki_objects o
         WHERE o.user_id = $1 AND o.generation = $2 AND o.kind = 1) AS d
 WHERE d.parent_key IS NOT NULL
   AND NOT EXISTS (SELECT FROM anki_objects p WHERE p.user_id = $1 AND p.generation = $2 AND p.kind = 1 AND p.name_key = d.parent_key)

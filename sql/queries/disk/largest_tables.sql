-- plan: free
-- With indexes and everything stored beside the rows.
SELECT c.relname AS name, pg_total_relation_size(c.oid) AS bytes
  FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
 ORDER BY bytes DESC LIMIT $1

-- Deleted more than $3 days ago, without versions and without anything that still names it as its collection.
WITH gone AS (
  DELETE FROM vault_nodes n
   WHERE n.user_id = $1 AND n.vault_id = $2 AND n.deleted_at < now() - make_interval(days => $3::int) AND n.node_id <> 0
     AND NOT EXISTS (SELECT FROM vault_versions v WHERE v.user_id = $1 AND v.vault_id = $2 AND v.node_id = n.node_id)
     AND NOT EXISTS (SELECT FROM vault_nodes c WHERE c.user_id = $1 AND c.vault_id = $2 AND c.parent_id = n.node_id)
  RETURNING 300 + 2 * octet_length(n.name) AS bytes
)
UPDATE vaults SET row_bytes = row_bytes - g.bytes FROM (SELECT sum(bytes) AS bytes FROM gone HAVING count(*) > 0) g
 WHERE user_id = $1 AND vault_id = $2

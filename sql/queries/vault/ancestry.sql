-- Without the root.
WITH RECURSIVE up AS (
  SELECT node_id, parent_id, 0 AS above FROM vault_nodes WHERE user_id = $1 AND vault_id = $2 AND node_id = $3
   UNION ALL
  SELECT n.node_id, n.parent_id, u.above + 1 FROM up u
    JOIN vault_nodes n ON n.user_id = $1 AND n.vault_id = $2 AND n.node_id = u.parent_id
)
SELECT
-- include: node_columns
  FROM up u JOIN vault_nodes n ON n.user_id = $1 AND n.vault_id = $2 AND n.node_id = u.node_id
  LEFT JOIN vault_versions v ON v.user_id = $1 AND v.vault_id = $2 AND v.version_id = n.head_version
 WHERE n.parent_id IS NOT NULL ORDER BY u.above DESC

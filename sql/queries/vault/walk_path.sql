-- The root and what there is on the path, as far as it goes. $3: the keys of its names.
WITH RECURSIVE walk AS (
  SELECT node_id, 0 AS depth FROM vault_nodes WHERE user_id = $1 AND vault_id = $2 AND node_id = 0
   UNION ALL
  SELECT n.node_id, w.depth + 1 FROM walk w
    JOIN vault_nodes n ON n.user_id = $1 AND n.vault_id = $2 AND n.parent_id = w.node_id
     AND n.name_key = ($3::text[])[w.depth + 1] AND n.deleted_at IS NULL
   WHERE w.depth < cardinality($3::text[])
)
SELECT
-- include: node_columns
  FROM walk w JOIN vault_nodes n ON n.user_id = $1 AND n.vault_id = $2 AND n.node_id = w.node_id
  LEFT JOIN vault_versions v ON v.user_id = $1 AND v.vault_id = $2 AND v.version_id = n.head_version
 ORDER BY w.depth

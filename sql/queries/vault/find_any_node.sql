-- Of that name and kind, also a deleted one.
SELECT
-- include: node_columns
  FROM vault_nodes n
  LEFT JOIN vault_versions v ON v.user_id = $1 AND v.vault_id = $2 AND v.version_id = n.head_version
 WHERE n.user_id = $1 AND n.vault_id = $2 AND n.parent_id = $3 AND n.name_key = $4 AND n.is_collection = $5

SELECT
-- include: version_columns
  FROM vault_versions v WHERE v.user_id = $1 AND v.vault_id = $2 AND v.node_id = $3 AND v.seq = $4

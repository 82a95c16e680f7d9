SELECT
-- include: version_columns
  FROM vault_versions v WHERE v.user_id = $1 AND v.vault_id = $2 AND v.version_id = $3

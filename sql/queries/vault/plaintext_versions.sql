SELECT
-- include: version_columns
  FROM vault_versions v WHERE v.user_id = $1 AND v.vault_id = $2 AND v.has_plaintext ORDER BY v.version_id LIMIT $3

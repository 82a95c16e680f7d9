UPDATE vaults SET name = $3, encryption = $4, documents_policy = $5, allows_archives = $6, max_bytes = $7, keep_versions = $8,
  keep_days = $9, request_interval_s = $10
 WHERE user_id = $1 AND vault_id = $2

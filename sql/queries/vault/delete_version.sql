-- With what it counted with (VersionStore::Add).
WITH gone AS (
  DELETE FROM vault_versions WHERE user_id = $1 AND vault_id = $2 AND version_id = $3 RETURNING size_bytes
)
UPDATE vaults SET used_bytes = used_bytes - g.size_bytes, row_bytes = row_bytes - 350 FROM gone g
 WHERE user_id = $1 AND vault_id = $2

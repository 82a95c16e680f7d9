UPDATE vault_versions SET state = $4 WHERE user_id = $1 AND vault_id = $2 AND version_id = $3

UPDATE vaults SET row_bytes = row_bytes + $3 WHERE user_id = $1 AND vault_id = $2

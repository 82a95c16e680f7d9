UPDATE vault_nodes SET modified_at = now() WHERE user_id = $1 AND vault_id = $2 AND node_id = $3

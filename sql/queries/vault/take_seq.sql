UPDATE vault_nodes SET last_seq = last_seq + 1 WHERE user_id = $1 AND vault_id = $2 AND node_id = $3
RETURNING last_seq

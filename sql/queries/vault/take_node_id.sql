-- $3: about what the node takes
UPDATE vaults SET next_node = next_node + 1, row_bytes = row_bytes + $3 WHERE user_id = $1 AND vault_id = $2
RETURNING next_node - 1 AS node_id

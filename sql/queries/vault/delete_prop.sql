DELETE FROM vault_props WHERE user_id = $1 AND vault_id = $2 AND node_id = $3 AND namespace = $4 AND name = $5
RETURNING octet_length(xml) + 150 AS bytes

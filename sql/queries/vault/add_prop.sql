INSERT INTO vault_props (user_id, vault_id, node_id, namespace, name, xml) VALUES ($1, $2, $3, $4, $5, $6)

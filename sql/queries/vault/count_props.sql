SELECT count(*) AS props FROM vault_props WHERE user_id = $1 AND vault_id = $2 AND node_id = $3

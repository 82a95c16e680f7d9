SELECT node_id, namespace, name, xml FROM vault_props
 WHERE user_id = $1 AND vault_id = $2 AND node_id = ANY ($3::bigint[]) ORDER BY node_id, namespace, name

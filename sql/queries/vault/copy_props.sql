-- From node $3 to node $4.
INSERT INTO vault_props (user_id, vault_id, node_id, namespace, name, xml)
SELECT user_id, vault_id, $4, namespace, name, xml FROM vault_props WHERE user_id = $1 AND vault_id = $2 AND node_id = $3
RETURNING octet_length(xml) + 150 AS bytes

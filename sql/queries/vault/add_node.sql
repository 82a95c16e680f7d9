-- $3 node  $4 parent, null for the root  $5 name  $6 its key  $7 collection
INSERT INTO vault_nodes (user_id, vault_id, node_id, parent_id, name, name_key, is_collection)
VALUES ($1, $2, $3, $4, $5, $6, $7)

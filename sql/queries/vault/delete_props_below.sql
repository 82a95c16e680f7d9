-- Properties end with the name.
-- include: subtree
DELETE FROM vault_props WHERE user_id = $1 AND vault_id = $2 AND node_id = ANY (ARRAY(SELECT node_id FROM below))
RETURNING octet_length(xml) + 150 AS bytes

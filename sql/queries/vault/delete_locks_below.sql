-- include: subtree
DELETE FROM vault_locks WHERE user_id = $1 AND vault_id = $2 AND node_id = ANY (ARRAY(SELECT node_id FROM below))

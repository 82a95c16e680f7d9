-- The node and all below it. Versions stay.
-- include: subtree
UPDATE vault_nodes SET deleted_at = now()
 WHERE user_id = $1 AND vault_id = $2 AND node_id = ANY (ARRAY(SELECT node_id FROM below))

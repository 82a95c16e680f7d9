-- include: subtree
SELECT node_id, token, is_exclusive, is_infinite, owner_xml, timeout_s, expires_at FROM vault_locks
 WHERE user_id = $1 AND vault_id = $2 AND node_id = ANY (ARRAY(SELECT node_id FROM below)) AND expires_at > clock_timestamp()

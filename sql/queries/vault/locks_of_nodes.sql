-- What is locked of these nodes. $3: their ids
SELECT node_id, token, is_exclusive, is_infinite, owner_xml, timeout_s, expires_at FROM vault_locks
 WHERE user_id = $1 AND vault_id = $2 AND node_id = ANY ($3::bigint[]) AND expires_at > clock_timestamp()
 ORDER BY node_id, token

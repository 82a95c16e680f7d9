-- $5 seconds
UPDATE vault_locks SET timeout_s = $5::int, expires_at = clock_timestamp() + make_interval(secs => $5::int)
 WHERE user_id = $1 AND vault_id = $2 AND node_id = $3 AND token = $4
RETURNING node_id, token, is_exclusive, is_infinite, owner_xml, timeout_s, expires_at

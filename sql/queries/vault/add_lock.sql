-- $3 node  $4 exclusive  $5 infinite depth  $6 owner  $7 seconds
INSERT INTO vault_locks (user_id, vault_id, node_id, token, is_exclusive, is_infinite, owner_xml, timeout_s, expires_at)
VALUES ($1, $2, $3, 'urn:uuid:' || gen_random_uuid(), $4, $5, $6, $7::int, clock_timestamp() + make_interval(secs => $7::int))
RETURNING node_id, token, is_exclusive, is_infinite, owner_xml, timeout_s, expires_at

-- The greatest change counter that a device has sent of a file, in what counts as good.
SELECT max(change_counter) AS counter FROM vault_versions
 WHERE user_id = $1 AND vault_id = $2 AND node_id = $3 AND device_id = $4 AND state IN ('ok', 'conflict')

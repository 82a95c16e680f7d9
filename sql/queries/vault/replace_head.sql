-- After version $4 of node $3 has gone: the newest good one, if it was the head.
UPDATE vault_nodes n SET modified_at = now(), head_version =
  (SELECT max(v.version_id) FROM vault_versions v
    WHERE v.user_id = $1 AND v.vault_id = $2 AND v.node_id = $3 AND v.state IN ('ok', 'conflict'))
 WHERE n.user_id = $1 AND n.vault_id = $2 AND n.node_id = $3 AND n.head_version = $4

SELECT event_id, at, level, kind, source, path, message, device_id, version_id FROM vault_events
 WHERE user_id = $1 AND vault_id = $2 AND event_id < $3 ORDER BY event_id DESC LIMIT $4

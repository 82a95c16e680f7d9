-- $3 level  $4 kind  $5 device  $6 source  $7 path  $8 message  $9 version
INSERT INTO vault_events (user_id, vault_id, level, kind, device_id, source, path, message, version_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

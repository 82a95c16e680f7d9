SELECT v.device_id, d.name, d.created_at, d.last_seen_at, v.last_upload_at, v.last_version
FROM vault_devices v JOIN devices d ON d.user_id = v.user_id AND d.device_id = v.device_id
WHERE v.user_id = $1 AND v.vault_id = $2 AND d.revoked_at IS NULL
ORDER BY v.device_id

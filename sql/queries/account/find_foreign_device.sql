-- As find_device, for a key of another server, which does not name its account. One lookup in a small index.
SELECT d.user_id, d.device_id, u.is_admin, (d.last_seen_at IS NULL OR d.last_seen_at < now() - interval '5 minutes') AS is_stale
FROM devices d JOIN users u ON u.user_id = d.user_id
WHERE d.is_foreign AND d.key_hash = $1 AND d.kind = $2 AND d.revoked_at IS NULL AND NOT u.is_disabled

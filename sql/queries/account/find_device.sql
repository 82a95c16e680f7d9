-- Runs for every request with a key: one index lookup among the tenant's devices, and the account's
-- is_disabled.
SELECT d.device_id, u.is_admin, (d.last_seen_at IS NULL OR d.last_seen_at < now() - interval '5 minutes') AS is_stale
FROM devices d JOIN users u ON u.user_id = d.user_id
WHERE d.user_id = $1 AND d.key_hash = $2 AND d.kind = $3 AND d.revoked_at IS NULL AND NOT u.is_disabled

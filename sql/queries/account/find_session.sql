-- Runs for every access token that is not cached. No row: the account is gone.
SELECT u.is_disabled, u.is_admin, d.device_id IS NOT NULL AS is_live,
       (d.last_seen_at IS NULL OR d.last_seen_at < now() - interval '5 minutes') AS is_stale
FROM users u
LEFT JOIN devices d ON d.user_id = u.user_id AND d.device_id = $2 AND d.kind = 'refresh' AND d.revoked_at IS NULL
WHERE u.user_id = $1

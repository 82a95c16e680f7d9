-- All accounts with devices and used bytes, for the administrator's list. Aggregates all devices and usage
-- rows, and reads every collection's head.
SELECT u.user_id, u.name, u.is_admin, u.is_disabled, u.quota_bytes, u.created_at,
       coalesce(d.devices, 0) AS devices, d.last_seen_at, coalesce(b.bytes, 0)::bigint AS used_bytes
FROM users u
LEFT JOIN (SELECT user_id, count(*) AS devices, max(last_seen_at) AS last_seen_at
           FROM devices WHERE revoked_at IS NULL GROUP BY user_id) d USING (user_id)
LEFT JOIN (SELECT user_id, sum(bytes) AS bytes FROM account_bytes GROUP BY user_id) b USING (user_id)
ORDER BY lower(u.name)

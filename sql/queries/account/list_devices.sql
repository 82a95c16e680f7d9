SELECT device_id, kind, name, created_at, last_seen_at, revoked_at FROM devices WHERE user_id = $1 ORDER BY device_id

UPDATE devices SET name = $3 WHERE user_id = $1 AND device_id = $2 AND revoked_at IS NULL

UPDATE devices SET revoked_at = now() WHERE user_id = $1 AND device_id = $2 AND kind = 'refresh' AND revoked_at IS NULL

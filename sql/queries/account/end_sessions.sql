UPDATE devices SET revoked_at = now() WHERE user_id = $1 AND kind = 'refresh' AND revoked_at IS NULL RETURNING device_id

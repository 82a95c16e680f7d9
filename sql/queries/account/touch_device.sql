-- Many concurrent requests of one device find it stale; those that find the row locked skip the update.
UPDATE devices SET last_seen_at = now()
WHERE user_id = $1 AND device_id = (
  SELECT device_id FROM devices
  WHERE user_id = $1 AND device_id = $2 AND (last_seen_at IS NULL OR last_seen_at < now() - interval '5 minutes')
  FOR NO KEY UPDATE SKIP LOCKED)

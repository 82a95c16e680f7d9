-- Many requests of one device find it stale at once; those that find the row locked have nothing to do.
UPDATE devices SET last_seen_at = now()
WHERE user_id = $1 AND device_id = (
  SELECT device_id FROM devices
  WHERE user_id = $1 AND device_id = $2 AND (last_seen_at IS NULL OR last_seen_at < now() - interval '5 minutes')
  FOR NO KEY UPDATE SKIP LOCKED)

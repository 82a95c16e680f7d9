-- Keeps $3 live devices of a kind and revokes the least recently used ones.
UPDATE devices SET revoked_at = now()
WHERE user_id = $1 AND device_id = ANY (ARRAY(
  SELECT device_id FROM devices WHERE user_id = $1 AND kind = $2 AND revoked_at IS NULL
  ORDER BY coalesce(last_seen_at, created_at) DESC, device_id DESC OFFSET $3))

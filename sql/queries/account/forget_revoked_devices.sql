-- Keeps the $3 most recently revoked devices of a kind, for the owner's list; a revoked key is refused
-- without a row.
DELETE FROM devices
WHERE user_id = $1 AND device_id = ANY (ARRAY(
  SELECT device_id FROM devices WHERE user_id = $1 AND kind = $2 AND revoked_at IS NOT NULL
  ORDER BY revoked_at DESC, device_id DESC OFFSET $3))

-- Keeps the $3 devices of a kind that were revoked last, for the owner to read; a dead key needs no row to be refused.
DELETE FROM devices
WHERE user_id = $1 AND device_id = ANY (ARRAY(
  SELECT device_id FROM devices WHERE user_id = $1 AND kind = $2 AND revoked_at IS NOT NULL
  ORDER BY revoked_at DESC, device_id DESC OFFSET $3))

-- The vault of a live device.
SELECT v.vault_id, v.slug FROM vault_devices d JOIN vaults v ON v.user_id = d.user_id AND v.vault_id = d.vault_id
WHERE d.user_id = $1 AND d.device_id = $2
  AND EXISTS (SELECT FROM devices l WHERE l.user_id = $1 AND l.device_id = $2 AND l.revoked_at IS NULL)

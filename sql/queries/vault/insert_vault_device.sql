INSERT INTO vault_devices (user_id, device_id, vault_id) VALUES ($1, $2, $3)

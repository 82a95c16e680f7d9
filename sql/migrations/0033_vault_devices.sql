-- The desktops that send to a vault over Socket.IO. The key of one is in devices, with the kind 'socket', so it is listed and revoked
-- like every other key; it opens one vault.
CREATE TABLE vault_devices (
  user_id bigint NOT NULL,
  device_id bigint NOT NULL,
  vault_id bigint NOT NULL,
  last_upload_at timestamptz,
  last_version bigint,                              -- the newest one that it has sent
  PRIMARY KEY (user_id, device_id),
  FOREIGN KEY (user_id, device_id) REFERENCES devices (user_id, device_id) ON DELETE CASCADE,
  FOREIGN KEY (user_id, vault_id) REFERENCES vaults (user_id, vault_id) ON DELETE CASCADE
);
CREATE INDEX vault_devices_vault ON vault_devices (user_id, vault_id);

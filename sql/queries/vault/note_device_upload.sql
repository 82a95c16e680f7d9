-- An unchanged content keeps the version that is known.
UPDATE vault_devices SET last_upload_at = now(), last_version = coalesce($3::bigint, last_version)
WHERE user_id = $1 AND device_id = $2
